"""Reads the requests in the body of a POST, and the id in its header."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from stillframe.errors import InvalidRequest, UnparsableBody
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.foreign_body import describe_json_error

from .problems import HttpError

MAX_REQUESTS = 100
# Lambda takes 6 MB with the rest of the event, and a body in base64 is a third larger ("Lambda quotas").
MAX_BODY_BYTES = 4 * 1024 * 1024
JSON_TYPE = "application/json"
KEY = "Idempotency-Key"

Parsed = CaptureRequest | UnparsableBody


@dataclass(frozen=True, slots=True)
class RequestBody:
    """The requests of one body, each parsed or with the reason why it could not be."""

    requests: list[Parsed]
    is_list: bool


def read_body(event: Mapping[str, Any]) -> str:
    """The body of an event as text. Raises HttpError if it is too large or not JSON by its type, or UnparsableBody."""
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    media_type = headers.get("content-type", JSON_TYPE).partition(";")[0].strip().lower()
    if media_type != JSON_TYPE:
        raise HttpError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", f"the body must be {JSON_TYPE}")
    body = event.get("body") or ""
    check_size(len(body))
    if not event.get("isBase64Encoded"):
        check_size(len(body.encode(errors="surrogatepass")))
        return str(body)
    try:
        return base64.b64decode(body, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise UnparsableBody("the body is not text in UTF-8") from error


def check_size(size: int) -> None:
    """Raises HttpError if a body of this many bytes is too large."""
    if size > MAX_BODY_BYTES:
        raise HttpError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "BODY_TOO_LARGE",
            f"the body is larger than {MAX_BODY_BYTES:,} bytes; send fewer requests at once",
        )


def parse_requests(body: str, key: str | None) -> RequestBody:
    """Parse one request, or a list of up to 100. `key` becomes the id of the one request.

    Raises UnparsableBody for a list that is too long or empty, and InvalidRequest if the key names another id.
    """
    try:
        value = json.loads(body, parse_float=_number)
    except (ValueError, RecursionError) as error:
        raise UnparsableBody(f"the body is not JSON: {describe_json_error(error)}") from error
    if not isinstance(value, list):
        return RequestBody([_with_key(_parse(value), key)], is_list=False)
    if key is not None:
        raise InvalidRequest(f"{KEY} is the id of one screenshot: in a list, give each request a requestId of its own")
    if not 1 <= len(value) <= MAX_REQUESTS:
        raise UnparsableBody(f"the list has {len(value)} requests, and must have 1 to {MAX_REQUESTS}")
    return RequestBody([_parse_item(item) for item in value], is_list=True)


def _number(text: str) -> int | float:
    """`60.0` is a whole number for JSON Schema, whose integers are numbers without a fraction."""
    value = float(text)
    return int(value) if value.is_integer() else value


def _parse(value: object) -> CaptureRequest:
    return CaptureRequest.from_body(json.dumps(value))


def _parse_item(item: object) -> Parsed:
    try:
        return _parse(item)
    except UnparsableBody as error:
        return error


def _with_key(request: CaptureRequest, key: str | None) -> CaptureRequest:
    if key is None:
        return request
    if request.request_id not in (None, key):
        raise InvalidRequest(f"{KEY} and requestId are two names of the id and must be equal; leave one of them out")
    return request.model_copy(update={"request_id": key})
