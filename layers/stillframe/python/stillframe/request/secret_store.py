"""Lookup of the secrets that a request references, in AWS Secrets Manager and only for hosts they are granted to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.errors import SecretUnavailable, ServiceUnavailable
from stillframe.request.options import RenderOptions, SecretReference
from stillframe.request.options.access import check_sendable
from stillframe.request.secret_grant import SecretGrant

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.parameters import SecretsProvider
    from mypy_boto3_secretsmanager import SecretsManagerClient

# A rotated secret is picked up after this long at most. Every lookup is an API call that costs money.
CACHE_SECONDS = 300
# Errors that another attempt cannot resolve.
PERMANENT_CODES = frozenset(
    {"AccessDeniedException", "DecryptionFailure", "InvalidParameterException", "InvalidRequestException"}
    | {"ResourceNotFoundException"}
)


class SecretStore:
    """Looks up secrets for granted hosts only: otherwise a requester could have any secret sent to their own host."""

    def __init__(self, grants: Iterable[SecretGrant], connect: Callable[[], SecretsManagerClient]) -> None:
        self._grants = tuple(grants)
        self._connect = connect
        self._provider: SecretsProvider | None = None

    def resolve(self, options: RenderOptions, url: str, tenant: str | None = None) -> tuple[RenderOptions, list[str]]:
        """The options with every reference replaced by its text, and those texts.

        Raises SecretUnavailable or ServiceUnavailable.
        """
        texts: list[str] = []

        def lookup(reference: SecretReference) -> str:
            if not any(grant.allows(reference.secret_arn, url, tenant) for grant in self._grants):
                raise SecretUnavailable(
                    f"{reference.secret_arn} may not be sent to this host: add it to STILLFRAME_SECRETS as ARN@host, "
                    "or as ARN@http://host to allow plain http"
                )
            texts.append(self._text(reference))
            return texts[-1]

        return options.with_secrets(lookup), texts

    def _text(self, reference: SecretReference) -> str:
        value = self._fetch(reference.secret_arn)
        try:
            text = json.loads(value)[reference.key] if reference.key is not None else value
            check_sendable(text)
        except (ValueError, TypeError, KeyError):
            # The cause would quote the secret.
            problem = (
                f"has no usable text under the key {reference.key!r}"
                if reference.key
                else "is not one line of printable ASCII"
            )
            raise SecretUnavailable(f"{reference.secret_arn} {problem}") from None
        return str(text)

    def _fetch(self, arn: str) -> str:
        # Imported late: most workers never look up a secret.
        from aws_lambda_powertools.utilities.parameters import SecretsProvider
        from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

        if self._provider is None:
            self._provider = SecretsProvider(boto3_client=self._connect())
        try:
            value: Any = self._provider.get(arn, max_age=CACHE_SECONDS)
        except GetParameterError as error:
            cause = error.__context__
            if isinstance(cause, ClientError) and cause.response["Error"]["Code"] in PERMANENT_CODES:
                raise SecretUnavailable(f"{arn}: {cause.response['Error']['Code']}") from None
            raise ServiceUnavailable(f"get secret value: {arn}") from None
        except (ClientError, BotoCoreError) as error:
            raise ServiceUnavailable(f"get secret value: {arn}: {type(error).__name__}") from None
        return value if isinstance(value, str) else ""
