"""A message of the queue, its attributes, and one delivery of it: SQS delivers a message at least once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from stillframe.errors import CaptureError
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.message_limits import free_bytes

# On a message that `redrive` brought back: the id that it had in the dead-letter queue.
REDRIVEN_FROM = "redrivenFrom"
# On the copy of a message whose host was busy: how often it has waited, which message it was at first, and how often
# it had been received before.
POSTPONED = "postponed"
FIRST_MESSAGE_ID = "firstMessageId"
RECEIVED_BEFORE = "receivedBefore"
# On the copy of a message that met a worker's fault at its last receive: how often that has happened.
SPARED = "spared"
# On the copy of a message and on one that `redrive` brought back: when the first of them was sent, in milliseconds.
SENT_AT = "sentAt"
# Anybody may have set an attribute: a larger number is not believed.
MAX_COUNT = 1_000_000
MAX_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the queue delivered it. Times are milliseconds since the epoch.

    `is_redriven` says that it was another message before, which may have held a claim. `receive_count` includes the
    receives of its predecessors. `waits` is how often it had to wait for its host. `first_message_id` is which message
    it was before it ever waited, and `first_sent_at_ms` when that was sent. `group_id` is its tenant. `defect` says why
    the record of the event was no message. `received_before` is the part of `receive_count` that SQS does not know of.
    `spared` is how often it was replaced by a copy because of a worker's fault.
    """

    body: str
    message_id: str
    receipt_handle: str
    receive_count: int
    sent_at_ms: int
    received_at_ms: int
    is_redriven: bool = False
    waits: int = 0
    first_message_id: str = ""
    group_id: str | None = None
    defect: CaptureError | None = None
    received_before: int = 0
    spared: int = 0
    first_sent_at_ms: int = 0

    @classmethod
    def received(
        cls,
        *,
        body: str,
        message_id: str,
        receipt_handle: str,
        receive_count: int,
        sent_at_ms: int,
        received_at_ms: int,
        attributes: Mapping[str, str],
        group_id: str | None = None,
    ) -> Self:
        """A message with what its attributes say; `receive_count` is SQS's own."""
        received_before = _count(attributes.get(RECEIVED_BEFORE))
        return cls(
            body=body,
            message_id=message_id,
            receipt_handle=receipt_handle,
            receive_count=receive_count + received_before,
            sent_at_ms=sent_at_ms,
            received_at_ms=received_at_ms,
            is_redriven=REDRIVEN_FROM in attributes,
            waits=_count(attributes.get(POSTPONED)),
            first_message_id=attributes.get(FIRST_MESSAGE_ID, ""),
            group_id=group_id,
            received_before=received_before,
            spared=_count(attributes.get(SPARED)),
            first_sent_at_ms=_first_sent(attributes.get(SENT_AT), sent_at_ms),
        )

    @property
    def may_have_held(self) -> bool:
        """Whether an earlier delivery of this message, or of its predecessor, may have won the claim."""
        return self.receive_count > 1 or self.is_redriven

    def is_last(self, max_receive_count: int) -> bool:
        """Whether the message has been received as often as it may be."""
        return self.receive_count >= max_receive_count

    @property
    def has_room_for_copy(self) -> bool:
        """Whether SQS accepts a copy with its attributes."""
        return free_bytes(self.body, self.copy_attributes()) >= 0

    def is_given_up_by_queue(self, max_receive_count: int) -> bool:
        """Whether SQS itself moves the message to the dead-letter queue instead of delivering it again."""
        return self.receive_count - self.received_before >= max_receive_count

    def copy_attributes(self) -> dict[str, Any]:
        """The attributes of the copy that waits in its place. This receive was no attempt, so it does not count."""
        return self._copied(self.receive_count - 1, self.spared)

    def spared_attributes(self) -> dict[str, Any]:
        """The attributes of the copy that is sent because of a worker's fault: its receives begin anew.

        Nobody knows how many of the earlier receives met a worker's fault as well.
        """
        return self._copied(0, self.spared + 1)

    def _copied(self, received_before: int, spared: int) -> dict[str, Any]:
        return string_attributes(
            {
                REDRIVEN_FROM: self.message_id,
                POSTPONED: str(self.waits + 1),
                FIRST_MESSAGE_ID: self.first_message_id or self.message_id,
                RECEIVED_BEFORE: str(received_before),
                **self._sent_at,
                **({SPARED: str(spared)} if spared else {}),
            }
        )

    def letter_attributes(self) -> dict[str, Any]:
        """The attributes of the copy in the dead-letter queue that a redrive may bring back.

        Its waits are not kept: they are counted by the first message's id, and begin anew with the letter's own.
        """
        return string_attributes({REDRIVEN_FROM: self.message_id, **self._sent_at})

    @property
    def _sent_at(self) -> dict[str, str]:
        return sent_at(self.body, self.first_sent_at_ms or self.sent_at_ms)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of a message that holds a request."""

    message: Message
    request: CaptureRequest

    @property
    def id(self) -> str:
        """The screenshot id."""
        return self.request.id

    @property
    def tenant(self) -> str | None:
        """The tenant that the screenshot is taken for: the one in the envelope, or else the message group."""
        return self.request.tenant or self.message.group_id

    @classmethod
    def parse(cls, message: Message) -> Self:
        """Raises UnparsableBody, or the message's defect."""
        if message.defect is not None:
            raise message.defect
        request = CaptureRequest.from_body(message.body)
        # Not when it was received: another delivery of the message is of the same screenshot.
        return cls(message, request.named(message.first_sent_at_ms or message.sent_at_ms))


def string_attributes(values: Mapping[str, str]) -> dict[str, Any]:
    """Message attributes of type String, in the form that SendMessage takes."""
    return {name: {"DataType": "String", "StringValue": _sendable(value)} for name, value in values.items()}


def sent_at(body: str, sent_at_ms: int) -> dict[str, str]:
    """The attribute of a copy that says when its first predecessor was sent; none if nothing depends on that."""
    return {SENT_AT: str(sent_at_ms)} if '"freshFor"' in body else {}


def _count(text: str | None) -> int:
    """The number in an attribute that anybody may have set; 0 when it is not a number."""
    return min(_number(text), MAX_COUNT)


def _first_sent(text: str | None, sent_at_ms: int) -> int:
    """When the first of a message's predecessors was sent, which cannot be later than SQS says of this one."""
    claimed = _number(text)
    return claimed if 0 < claimed < sent_at_ms else sent_at_ms


def _number(text: str | None) -> int:
    """0 for what is not a number. Python refuses to convert thousands of digits, which an attribute may have."""
    return int(text[:MAX_DIGITS]) if text and text.isascii() and text.isdigit() else 0


def _sendable(value: str) -> str:
    """Replace the characters that SQS refuses in a string (XML 1.0, section 2.2); the result is never empty."""
    kept = "".join(
        char if char in "\t\n\r" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char > "\uffff" else "?"
        for char in value
    )
    return kept or "?"
