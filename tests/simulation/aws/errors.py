"""Errors as boto3 raises them."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError


def client_error(operation: str, code: str, status: int, message: str = "", **members: Any) -> ClientError:
    """An error response of AWS. `members` are added to the response, such as the `Item` that failed a condition."""
    response: Any = {
        "Error": {"Code": code, "Message": message or code},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **members,
    }
    return ClientError(response, operation)


def validation_error(operation: str, message: str) -> ClientError:
    """DynamoDB's response to a malformed call."""
    return client_error(operation, "ValidationException", 400, message)
