"""Message bodies that other services wrap or encode: what they are, and how to send the request itself instead.

Nothing is unwrapped. A wrapper is a setting that somebody forgot, and each has a remedy that costs nothing; unwrapped
requests would have no size, id or sender that anybody could rely on.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

SNS_REMEDY = "turn on raw message delivery for the subscription"
EVENTBRIDGE_REMEDY = "set an input transformer on the target, or InputPath $.detail if the detail is the request"
S3_REMEDY = "send it to EventBridge or to a function instead, and let that send a request for each object"
RECORDS_REMEDY = "send the body of each record as a message of its own"
SNS_RECORDS_REMEDY = "send the Sns.Message of each record as a message of its own"
# By the eventSource or EventSource of the first record. SNS capitalises the name.
RECORDS = {
    "aws:s3": ("an S3 event notification", S3_REMEDY),
    "aws:sns": ("an event that SNS passes to a function", SNS_RECORDS_REMEDY),
    "aws:sqs": ("an event that SQS passes to a function", RECORDS_REMEDY),
    "aws:dynamodb": ("an event of a DynamoDB stream", "let a function make a request of each record and send it"),
}


def describe_foreign(value: object) -> str | None:
    """What a JSON value is that is no request, with the remedy in one line; None when it is nothing that is known."""
    if isinstance(value, str):
        return _describe_text(value)
    if isinstance(value, list):
        return "the body is a list: send each request as a message of its own"
    if not isinstance(value, Mapping):
        return None
    return next((text for recognize in _RECOGNIZERS if (text := recognize(value))), None)


def describe_encoded(body: str) -> str | None:
    """What a body is that is not JSON, but becomes JSON when it is decoded; None when it does not."""
    text = body.strip()
    if text[:3].upper() == "%7B" and _is_object(unquote(text)):
        return "the body is URL-encoded: send the JSON as it is"
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return "the body is encoded in base64: send the JSON as it is" if _is_object(decoded) else None


def _describe_text(value: str) -> str | None:
    if _is_object(value):
        return "the body is a request that was encoded as JSON twice: encode it once"
    return describe_encoded(value)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _sns(value: Mapping[str, Any]) -> str | None:
    # Amazon SNS Developer Guide, "HTTP/HTTPS notification JSON format", which is that of SQS subscriptions as well.
    kind = value.get("Type")
    if "TopicArn" not in value or not isinstance(kind, str):
        return None
    if kind == "Notification":
        return f"the body is an SNS notification, with the request in its Message: {SNS_REMEDY}"
    return "the body is a confirmation that SNS sends for a subscription: confirm or remove the subscription"


def _eventbridge(value: Mapping[str, Any]) -> str | None:
    # Amazon EventBridge User Guide, "Events": every event has these.
    if {"detail-type", "detail", "source"} <= value.keys():
        return f"the body is an EventBridge event: {EVENTBRIDGE_REMEDY}"
    return None


def _records(value: Mapping[str, Any]) -> str | None:
    records = value.get("Records")
    first = records[0] if isinstance(records, list) and records else None
    if not isinstance(first, Mapping):
        return None
    name, remedy = RECORDS.get(
        str(first.get("eventSource") or first.get("EventSource")), ("an event with records", RECORDS_REMEDY)
    )
    return f"the body is {name}: {remedy}"


def _s3_test(value: Mapping[str, Any]) -> str | None:
    # S3 sends it when the notifications of a bucket are configured.
    is_test = value.get("Event") == "s3:TestEvent"
    return f"the body is the test event that S3 sends to a new target: {S3_REMEDY}" if is_test else None


def _destination(value: Mapping[str, Any]) -> str | None:
    # AWS Lambda Developer Guide, "Destinations for asynchronous invocation".
    if {"requestContext", "requestPayload"} <= value.keys():
        return "the body is the record of a Lambda destination: let the function send the request itself"
    return None


def _http(value: Mapping[str, Any]) -> str | None:
    # Amazon API Gateway Developer Guide, "Lambda proxy integrations", payload formats 1.0 and 2.0.
    if "requestContext" in value and "body" in value:
        return "the body is an API Gateway event, with the request in its body: send that body only ($request.body)"
    return None


_RECOGNIZERS: tuple[Callable[[Mapping[str, Any]], str | None], ...] = (
    _sns,
    _eventbridge,
    _records,
    _s3_test,
    _destination,
    _http,
)


def describe_json_error(error: ValueError | RecursionError) -> str:
    """Why a text is not taken as JSON, without the names that Python has for it."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeError):
        return "a character of it is half of a surrogate pair"
    # Python reads no number of more digits ("Integer string conversion length limitation").
    return "a number of it has too many digits" if "set_int_max_str_digits" in str(error) else str(error)
