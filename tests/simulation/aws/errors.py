"""Errors in the form in which boto3 raises them."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError


def client_error(operation: str, code: str, status: int, message: str = "", **members: Any) -> ClientError:
    """An answer of AWS that is an error. `members` are further members of it, like the `Item` in the way."""
    response: Any = {
        "Error": {"Code": code, "Message": message or code},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **members,
    }
    return ClientError(response, operation)


def validation_error(operation: str, message: str) -> ClientError:
    """DynamoDB's refusal of a call that is not well-formed."""
    return client_error(operation, "ValidationException", 400, message)
