"""A webhook message: one event for one URL, as the webhook queue carries it.

What is posted is made once and never changed, so that every attempt has the same id and the same content (Standard
Webhooks, "Webhook payload" and "Idempotency").
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stillframe.errors import UnparsableBody
from stillframe.event_detail import cut_to_fit, to_json
from stillframe.events import Event
from stillframe.request.envelope import EventKind
from stillframe.request.message_limits import MAX_MESSAGE_BYTES, sendable_json

# Both ends of the queue are this project's own; a version that is newer than the reader may add fields.
CONFIG = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
# The content is text in the JSON of the message, where each of its bytes may become two. The rest has a few thousand.
MAX_DATA_BYTES = MAX_MESSAGE_BYTES // 2 - 16 * 1024


class WebhookMessage(BaseModel):
    """`content` is the text that is signed and posted."""

    model_config = CONFIG

    event_id: Annotated[str, Field(min_length=1)]
    kind: str
    screenshot_id: str
    tenant: str | None = None
    url: str
    content: str

    @classmethod
    def of(cls, event: Event, url: str) -> Self:
        """The message that tells this URL of an event."""
        subject = event.subject
        return cls(
            event_id=event.id,
            kind=event.kind,
            screenshot_id=subject.id,
            tenant=subject.tenant,
            url=url,
            content=_content(event),
        )

    @classmethod
    def from_body(cls, body: str) -> Self:
        """Raises UnparsableBody for a message that nobody of this project has sent."""
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            raise UnparsableBody(f"the message is no webhook: {error.error_count()} fields are wrong") from error

    def to_body(self) -> str:
        return sendable_json(self.model_dump_json(exclude_none=True))


def _content(event: Event) -> str:
    """`type`, `timestamp` and `data`, as the specification recommends.

    `data` is the record, or the digest, as everybody else sees it. One that is too large for a message is cut as that
    of an event is.
    """
    moment = datetime.fromtimestamp(event.time_ms / 1000, UTC).isoformat(timespec="milliseconds")
    content = {
        "type": f"{'watch' if event.kind is EventKind.DIGEST else 'screenshot'}.{event.kind}",
        "timestamp": moment.replace("+00:00", "Z"),
        "data": cut_to_fit(event.subject.to_wire(), MAX_DATA_BYTES),
    }
    return to_json(content)
