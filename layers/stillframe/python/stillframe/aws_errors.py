"""What an error of botocore means, and its one translation into Stillframe's own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as ConnectionFailure
from pydantic.alias_generators import to_camel

from stillframe.aws_times import timed
from stillframe.errors import CallRefused, ServiceUnavailable

# What the call contained is at fault. Every other refusal would meet any message: permissions, credentials, a missing
# queue, table or bucket (SQS, DynamoDB and S3 API references, "Errors" and "Common Errors").
CONTENT_CODES = frozenset(
    {
        "BadDigest",
        "EntityTooLarge",
        "EntityTooSmall",
        "IncompleteBody",
        "InvalidArgument",
        "InvalidAttributeValue",
        "InvalidDigest",
        "InvalidMessageContents",
        "InvalidParameterCombination",
        "InvalidParameterValue",
        "InvalidRequest",
        "ItemCollectionSizeLimitExceededException",
        "KeyTooLongError",
        "MessageNotInflight",
        "MetadataTooLarge",
        "MissingParameter",
        "ReceiptHandleIsInvalid",
        "ValidationException",
        "XAmzContentSHA256Mismatch",
    }
)
# Refusals that waiting mends, although their HTTP status is 4xx.
THROTTLING_CODES = frozenset(
    {
        "LimitExceededException",
        "OverLimit",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


@contextlib.contextmanager
def translated_errors(call: str) -> Iterator[None]:
    """Raise ServiceUnavailable or CallRefused, naming the call, for every error that botocore raises in the block.

    The block is timed under the name of the call, unless it is part of a step that has a name of its own.
    An error that the caller expects (a condition that did not hold, a missing object) is caught inside the block.
    """
    try:
        with timed(to_camel(call.replace(" ", "_").replace("-", "_"))):
            yield
    except (ClientError, BotoCoreError) as error:
        is_content = error_code(error) in CONTENT_CODES
        raise (CallRefused if is_content else ServiceUnavailable)(f"{call}: {error}") from error


def is_conditional_failure(error: ClientError) -> bool:
    """Whether DynamoDB refused a write because its condition did not hold, which is expected."""
    return error_code(error) == "ConditionalCheckFailedException"


def cancellation_codes(error: ClientError) -> list[str]:
    """Why DynamoDB canceled a transaction, a code for each of its items (`None` as a text for one that was right)."""
    return [str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])]


def is_transaction_conflict(error: ClientError) -> bool:
    """Whether a write only met another one's transaction on the same item, and can be sent again."""
    codes = cancellation_codes(error)
    is_canceled = "TransactionConflict" in codes and "ConditionalCheckFailed" not in codes
    return is_canceled or error_code(error) == "TransactionConflictException"


def is_refusal(error: ClientError | BotoCoreError) -> bool:
    """Whether the call can only succeed after somebody has changed something: a missing queue, permission, credential.

    Silence, throttling and errors of the service itself (5xx) pass by themselves.
    """
    if isinstance(error, ClientError):
        return error_code(error) not in THROTTLING_CODES and 400 <= http_status(error) < 500
    return not isinstance(error, HTTPClientError | ConnectionFailure)


def error_code(error: ClientError | BotoCoreError) -> str:
    """AWS's code of a refusal, without the namespace that SQS's query protocol adds; empty if AWS did not answer."""
    if not isinstance(error, ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code", "")).rpartition("#")[2]


def http_status(error: ClientError) -> int:
    """The HTTP status of the answer."""
    return error.response["ResponseMetadata"]["HTTPStatusCode"]
