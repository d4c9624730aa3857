"""A record of the event that Lambda makes of an SQS message, and what is read from it.

Only what a capture depends on is read, and what is odd about it has a safe meaning: a record must not fail because of
an attribute that somebody added, or that AWS leaves out. Format: AWS Lambda Developer Guide, "Using Lambda with Amazon
SQS".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stillframe.errors import UnreadableRecord
from stillframe.request.message import MAX_DIGITS, Message

# An unknown receive count means that the message may have been received before, and may have held a claim.
UNKNOWN_RECEIVE_COUNT = 2


def read_record(record: object, received_at_ms: int) -> Message:
    """The message in a record; `received_at_ms` is when the worker got the event.

    Never raises. A record that is no message becomes one with a `defect`, the record itself as its body, and as much
    else as can be read. Without a message id it cannot be handed back to the queue.
    """
    given = _mapping(record)
    defect = _defect(given)
    system = _mapping(given.get("attributes"))
    message = Message.received(
        body=json.dumps(record, default=str, ensure_ascii=False) if defect else given["body"],
        message_id=_text(given.get("messageId")),
        receipt_handle=_text(given.get("receiptHandle")),
        receive_count=_number(system.get("ApproximateReceiveCount"), UNKNOWN_RECEIVE_COUNT),
        sent_at_ms=_number(system.get("SentTimestamp"), received_at_ms),
        received_at_ms=received_at_ms,
        attributes={
            name: _text(_mapping(attribute).get("stringValue"))
            for name, attribute in _mapping(given.get("messageAttributes")).items()
        },
        group_id=_text(system.get("MessageGroupId")) or None,
    )
    return replace(message, defect=defect) if defect else message


def _defect(record: Mapping[str, Any]) -> UnreadableRecord | None:
    for name in ("messageId", "body"):
        if not isinstance(record.get(name), str):
            found = type(record[name]).__name__ if name in record else "missing"
            return UnreadableRecord(f"a record of the event must be an object with {name} as text, which is {found}")
    return None


def record_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The message attributes that ReceiveMessage returns, as a record has them: binary values in base64."""
    return {
        name: {
            "stringValue": value.get("StringValue"),
            "binaryValue": base64.b64encode(value["BinaryValue"]).decode() if "BinaryValue" in value else None,
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": value["DataType"],
        }
        for name, value in attributes.items()
    }


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object, otherwise: int) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else otherwise
