"""A message in the dead-letter queue: with the reason why a worker moved it there, or brought back by a redrive."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stillframe.errors import CaptureError, WebhookGivenUp
from stillframe.request.message import (
    FIRST_MESSAGE_ID,
    POSTPONED,
    RECEIVED_BEFORE,
    REDRIVEN_FROM,
    SENT_AT,
    SPARED,
    sent_at,
    string_attributes,
)
from stillframe.request.message_limits import attribute_bytes, free_bytes, with_optional

# On a message that a worker moved to the dead-letter queue: why, and which message it was.
REASON_CODE = "errorCode"
REASON_MESSAGE = "errorMessage"
SOURCE_MESSAGE_ID = "sourceMessageId"
# Holds the body of a message that has no room for its reason.
GZIPPED_BODY = "gzippedBody"
GZIPPED_NOTE = f"The message is too large to carry its reason; its body is in the attribute {GZIPPED_BODY} (gzip)."
# What a letter has and the message that is sent in its place has not.
LETTER_NAMES = frozenset({RECEIVED_BEFORE, SPARED, REASON_CODE, REASON_MESSAGE, SOURCE_MESSAGE_ID})
# An error message that is cut shorter than this says nothing.
MIN_REASON_BYTES = 40


@dataclass(frozen=True, slots=True)
class Letter:
    """The body and the attributes of a message to send, in the form that SendMessage takes."""

    body: str
    attributes: dict[str, Any]

    @property
    def is_sendable(self) -> bool:
        """Whether SQS accepts a message of this size."""
        return free_bytes(self.body, self.attributes) >= 0


def letter_with_reason(body: str, reason: CaptureError, message_id: str) -> Letter:
    """The dead letter of a message, always with its reason.

    When they are too large together, the error message is cut. When even that is not enough, the body is compressed.
    That makes room: text in UTF-8 never uses all values of a byte, and the reason takes a few hundred bytes of a MiB.
    """
    names = {REASON_CODE: reason.code, SOURCE_MESSAGE_ID: message_id}
    room = free_bytes(body, string_attributes(names)) - attribute_bytes(REASON_MESSAGE, {"DataType": "String"})
    text = reason.message.encode()
    if room >= min(len(text), MIN_REASON_BYTES):
        cut = text[:room].decode(errors="ignore")
        return Letter(body, string_attributes({**names, REASON_MESSAGE: cut}))
    packed = {"DataType": "Binary", "BinaryValue": gzip.compress(body.encode())}
    attributes = string_attributes({**names, REASON_MESSAGE: reason.message})
    return Letter(GZIPPED_NOTE, {**attributes, GZIPPED_BODY: packed})


def redriven_letter(body: str, attributes: Mapping[str, Any], message_id: str, sent_at_ms: int) -> Letter:
    """The message that is sent again in place of a dead letter: its attempts start anew.

    It has the mark of a redrive, what counts its waits and, if that matters, when it was sent at first. `sent_at_ms` is
    that of the letter itself: a message that SQS moves to the dead-letter queue keeps its time ("Amazon SQS dead-letter
    queues", message retention). Attributes of others are kept as far as there is room. May
    be too large even so.
    """
    own = {name: attributes[name] for name in (POSTPONED, FIRST_MESSAGE_ID, SENT_AT) if name in attributes}
    mark = string_attributes({**sent_at(body, sent_at_ms), REDRIVEN_FROM: message_id})
    required = {**mark, **own}
    optional = {name: each for name, each in attributes.items() if name not in (*required, *LETTER_NAMES)}
    return Letter(body, with_optional(body, required, optional))


def original_body(body: str, attributes: Mapping[str, Any]) -> str:
    """The body that the message had before it became a dead letter."""
    packed = attributes.get(GZIPPED_BODY, {}).get("BinaryValue")
    return gzip.decompress(packed).decode() if packed and body == GZIPPED_NOTE else body


def has_reason(attributes: Mapping[str, Any]) -> bool:
    """Whether a dead letter carries a reason of its own because of which it could only fail again, as it is."""
    code = attributes.get(REASON_CODE, {}).get("StringValue")
    return REASON_CODE in attributes and code != WebhookGivenUp.code
