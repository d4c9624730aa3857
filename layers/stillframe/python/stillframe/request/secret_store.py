"""Values that a request names by reference: looked up in AWS Secrets Manager, for the host they are meant for."""

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

# A secret that was rotated is used after so long at most; each look-up is an API call that costs money.
CACHE_SECONDS = 300
# What another attempt cannot mend by itself.
LASTING = frozenset(
    {"AccessDeniedException", "DecryptionFailure", "InvalidParameterException", "InvalidRequestException"}
    | {"ResourceNotFoundException"}
)


class SecretStore:
    """Looks references up. Whoever may send requests could otherwise have any secret sent to a host of theirs."""

    def __init__(self, grants: Iterable[SecretGrant], connect: Callable[[], SecretsManagerClient]) -> None:
        self._grants = tuple(grants)
        self._connect = connect
        self._provider: SecretsProvider | None = None

    def resolve(self, options: RenderOptions, url: str) -> RenderOptions:
        """Options whose secrets are all texts. Raises SecretUnavailable or ServiceUnavailable."""

        def look_up(reference: SecretReference) -> str:
            if not any(grant.allows(reference.secret_arn, url) for grant in self._grants):
                raise SecretUnavailable(
                    f"{reference.secret_arn} may not be sent to this host: add it to STILLFRAME_SECRETS as ARN@host"
                )
            return self._text(reference)

        return options.with_secrets(look_up)

    def _text(self, reference: SecretReference) -> str:
        kept = self._fetch(reference.secret_arn)
        try:
            text = json.loads(kept)[reference.key] if reference.key is not None else kept
            check_sendable(text)
        except (ValueError, TypeError, KeyError):
            # The cause would quote the secret.
            what = f"has no usable text under {reference.key!r}" if reference.key else "is no line of printable ASCII"
            raise SecretUnavailable(f"{reference.secret_arn} {what}") from None
        return str(text)

    def _fetch(self, arn: str) -> str:
        # Imported late: most workers never look a secret up.
        from aws_lambda_powertools.utilities.parameters import SecretsProvider
        from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

        if self._provider is None:
            self._provider = SecretsProvider(boto3_client=self._connect())
        try:
            kept: Any = self._provider.get(arn, max_age=CACHE_SECONDS)
        except GetParameterError as error:
            cause = error.__context__
            if isinstance(cause, ClientError) and cause.response["Error"]["Code"] in LASTING:
                raise SecretUnavailable(f"{arn}: {cause.response['Error']['Code']}") from None
            raise ServiceUnavailable(f"get secret value: {arn}") from None
        except (ClientError, BotoCoreError) as error:
            raise ServiceUnavailable(f"get secret value: {arn}: {type(error).__name__}") from None
        return kept if isinstance(kept, str) else ""
