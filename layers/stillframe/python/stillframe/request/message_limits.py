"""What SQS allows in one message, for the messages that are written on behalf of another.

A copy carries attributes that the original did not have, so a message at a limit has no copy as it is. Amazon SQS
Developer Guide, "Message quotas": at most ten attributes, and 1 MiB with the names, types and values of all attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_ATTRIBUTES = 10
MAX_MESSAGE_BYTES = 1_048_576

# Message attributes in the form that SendMessage takes: {"name": {"DataType": "String", "StringValue": "..."}}.
Attributes = Mapping[str, Any]


def sendable_json(text: str) -> str:
    """JSON in which the characters are escaped that SQS refuses in a body (SendMessage, "MessageBody").

    JSON itself escapes only control characters, and a page chooses what its record says. What reads the JSON finds no
    difference.
    """
    return text.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


def free_bytes(body: str, attributes: Attributes) -> int:
    """How many bytes the message could still have; negative when SQS would refuse it as too large."""
    used = sum(attribute_bytes(name, attribute) for name, attribute in attributes.items())
    return MAX_MESSAGE_BYTES - len(body.encode()) - used


def attribute_bytes(name: str, attribute: Attributes) -> int:
    """The size of one attribute: its name, its type, and its value as text or bytes."""
    value = attribute.get("BinaryValue", b"") or attribute.get("StringValue", "").encode()
    return len(name.encode()) + len(attribute["DataType"].encode()) + len(value)


def with_optional(body: str, required: Attributes, optional: Attributes) -> dict[str, Any]:
    """The required attributes, and as many of the optional ones as the message has room for, in order of their names.

    Whether there is room for the required ones is for the caller to check.
    """
    kept = dict(required)
    for name in sorted(optional.keys() - required.keys()):
        fits = free_bytes(body, kept) >= attribute_bytes(name, optional[name])
        if fits and len(kept) < MAX_ATTRIBUTES:
            kept[name] = optional[name]
    return kept
