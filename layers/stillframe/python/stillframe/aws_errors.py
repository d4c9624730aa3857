"""The one translation of botocore's errors into Stillframe's own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.errors import ServiceUnavailable


@contextlib.contextmanager
def translated_errors(call: str) -> Iterator[None]:
    """Raise ServiceUnavailable, naming the call, for every error that botocore raises in the block.

    An error that the caller expects (a condition that did not hold, a missing object) is caught inside the block.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise ServiceUnavailable(f"{call}: {error}") from error


def is_conditional_failure(error: ClientError) -> bool:
    """Whether DynamoDB refused a write because its condition did not hold, which is expected."""
    return error.response.get("Error", {}).get("Code") == "ConditionalCheckFailedException"


def http_status(error: ClientError) -> int:
    """The HTTP status of the answer."""
    return error.response["ResponseMetadata"]["HTTPStatusCode"]
