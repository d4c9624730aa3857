"""One delivery of one message: SQS delivers at least once, so a message can have several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from stillframe.request.capture_request import CaptureRequest

# The message attribute with which `redrive` says which message this one was.
REDRIVEN_FROM = "redrivenFrom"
# Those of a message that was sent again because its host was busy: how often, which message it was at first, and how
# often it had been received.
POSTPONED = "postponed"
FIRST_MESSAGE_ID = "firstMessageId"
RECEIVED_BEFORE = "receivedBefore"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the queue delivered it. Times are milliseconds since the epoch.

    `is_redriven` says that it was another message before, which may have held a claim. `receive_count` counts the
    receives of those before it too, `postponed` is how often it had to wait for its host, `first_message_id` which
    message it was before it ever waited, `group_id` its tenant.
    """

    body: str
    message_id: str
    receipt_handle: str
    receive_count: int
    sent_at_ms: int
    received_at_ms: int
    is_redriven: bool = False
    postponed: int = 0
    first_message_id: str = ""
    group_id: str | None = None

    @property
    def may_have_held(self) -> bool:
        """Whether a claim may have been won on its account before this delivery."""
        return self.receive_count > 1 or self.is_redriven

    def is_last(self, max_receive_count: int) -> bool:
        """Whether SQS moves the message to the dead-letter queue instead of delivering it again."""
        return self.receive_count >= max_receive_count


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that holds a request."""

    message: Message
    request: CaptureRequest

    @property
    def id(self) -> str:
        return self.request.id

    @classmethod
    def of(cls, message: Message) -> Self:
        """Raises UnparsableBody."""
        return cls(message, CaptureRequest.from_body(message.body))
