"""Signatures by the Standard Webhooks specification, with keys that can be rotated.

The deployment has one secret in AWS Secrets Manager: `{"current": KEY, "previous": KEY}`, keys in base64. Each tenant
has keys of its own, which are derived from it: with another tenant's key, nobody can pretend to be this deployment.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from standardwebhooks import Webhook as Signature

from stillframe.aws_errors import translated_errors
from stillframe.errors import WorkerFault

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# "between 24 bytes (192 bits) and 64 bytes (512 bits)" (Standard Webhooks, "Signature scheme").
KEY_BYTES = 32
PREFIX = "whsec_"
# A rotated key is used after this long at most. Every lookup is an API call that costs money.
CACHE_SECONDS = 300


class WebhookKeys(BaseModel):
    """The keys of a deployment. Receivers may have either until the previous one is gone."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    current: str = Field(min_length=32, pattern=r"^[A-Za-z0-9+/]+={0,2}$")
    previous: str = Field(default="", pattern=r"^([A-Za-z0-9+/]{32,}={0,2})?$")

    @classmethod
    def create(cls) -> Self:
        """New random keys."""
        return cls(current=_encode(secrets.token_bytes(KEY_BYTES)))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises WorkerFault if the secret does not hold keys; the message does not quote it."""
        try:
            return cls.model_validate(json.loads(text))
        except (ValueError, ValidationError):
            raise WorkerFault(
                'the secret of webhooks does not hold keys: expected {"current": KEY, "previous": KEY}, each in base64'
            ) from None

    def rotated(self) -> WebhookKeys:
        """The same with a new current key. What was current is accepted by receivers until the next rotation."""
        return type(self).create().model_copy(update={"previous": self.current})

    def secrets_of(self, tenant: str | None) -> list[str]:
        """What a receiver checks signatures with (`whsec_...`), the current one first."""
        return [f"{PREFIX}{_derived(key, tenant)}" for key in (self.current, self.previous) if key]

    def headers(self, event_id: str, content: str, tenant: str | None, at: datetime) -> dict[str, str]:
        """The three headers of one attempt, with a signature for every key ("Multiple signatures")."""
        signatures = (Signature(secret).sign(event_id, at, content) for secret in self.secrets_of(tenant))
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signatures),
        }


class WebhookSecret:
    """The keys in Secrets Manager, kept for five minutes."""

    def __init__(
        self,
        connect: Callable[[], SecretsManagerClient],
        arn: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._connect = connect
        self._arn = arn
        self._now = now
        self._client: SecretsManagerClient | None = None
        self._kept: tuple[datetime, WebhookKeys] | None = None

    def keys(self) -> WebhookKeys:
        """Raises WorkerFault or ServiceUnavailable."""
        if self._kept is None or (self._now() - self._kept[0]).total_seconds() >= CACHE_SECONDS:
            self._kept = (self._now(), self.read())
        return self._kept[1]

    def read(self) -> WebhookKeys:
        """The keys as they are now. Raises as `keys` does."""
        with translated_errors("get secret value"):
            answer: Any = self._connected().get_secret_value(SecretId=self._arn)
        return WebhookKeys.parse(answer.get("SecretString", ""))

    def write(self, keys: WebhookKeys) -> None:
        """Replace the keys. Raises ServiceUnavailable."""
        with translated_errors("put secret value"):
            self._connected().put_secret_value(SecretId=self._arn, SecretString=keys.model_dump_json())

    def _connected(self) -> SecretsManagerClient:
        if self._client is None:
            self._client = self._connect()
        return self._client


def _derived(key: str, tenant: str | None) -> str:
    if tenant is None:
        return key
    return _encode(hmac.new(base64.b64decode(key + "=="), f"tenant:{tenant}".encode(), hashlib.sha256).digest())


def _encode(key: bytes) -> str:
    return base64.b64encode(key).decode()
