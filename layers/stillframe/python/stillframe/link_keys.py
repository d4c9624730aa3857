"""The keys that sign links: the present one, and the one before it while it is being replaced."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.aws_errors import error_code
from stillframe.errors import ServiceUnavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

# Secrets Manager keeps the version before the last change under its second label ("Secret versions").
STAGES = ("AWSCURRENT", "AWSPREVIOUS")
# A replaced key is known after this long at most. Every look-up is a call that costs money.
CACHE_SECONDS = 300
# A signature that no known key has made may be of a new key. How often that is looked up, whatever is sent.
MIN_REFRESH_SECONDS = 15


class LinkKeys(Protocol):
    """Where keys come from. Both methods raise ServiceUnavailable."""

    def valid(self) -> tuple[bytes, ...]:
        """The keys with which a link may be signed, the one to sign with first; empty if there are no links."""

    def refreshed(self) -> tuple[bytes, ...]:
        """The same, looked up again if that was not done just now."""


class FixedLinkKeys:
    """Keys that do not change while the process runs."""

    def __init__(self, *texts: str) -> None:
        self._keys = tuple(text.encode() for text in texts)

    def valid(self) -> tuple[bytes, ...]:
        return self._keys

    def refreshed(self) -> tuple[bytes, ...]:
        return self._keys


NO_KEYS = FixedLinkKeys()


class SecretLinkKeys:
    """The two latest versions of a secret in AWS Secrets Manager. A key is the text of the secret, in UTF-8."""

    def __init__(
        self,
        arn: str,
        connect: Callable[[], SecretsManagerClient],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._arn = arn
        self._connect = connect
        self._client: SecretsManagerClient | None = None
        self._monotonic = monotonic
        self._keys: tuple[bytes, ...] = ()
        self._read_at: float | None = None

    def valid(self) -> tuple[bytes, ...]:
        return self._within(CACHE_SECONDS)

    def refreshed(self) -> tuple[bytes, ...]:
        return self._within(MIN_REFRESH_SECONDS)

    def _within(self, seconds: float) -> tuple[bytes, ...]:
        now = self._monotonic()
        if self._read_at is None or now - self._read_at >= seconds:
            self._keys = tuple(key for stage in STAGES if (key := self._read(stage)))
            self._read_at = now
        return self._keys

    def _read(self, stage: str) -> bytes | None:
        """The key of a stage; None if there was no version before the present one."""
        self._client = self._client or self._connect()
        try:
            answer = self._client.get_secret_value(SecretId=self._arn, VersionStage=stage)
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException" and stage != STAGES[0]:
                return None
            raise ServiceUnavailable(f"get secret value: {self._arn}: {error_code(error)}") from None
        except BotoCoreError as error:
            raise ServiceUnavailable(f"get secret value: {self._arn}: {type(error).__name__}") from None
        return answer["SecretString"].encode()
