"""What was tried: the attempts to post the events of a screenshot, in an item beside its record."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field

from stillframe.clock import Clock
from stillframe.request.options.wire import WireModel
from stillframe.table import side_items
from stillframe.table.attributes import ATTEMPT_LIST
from stillframe.table.table import Table
from stillframe.webhooks.message import WebhookMessage

# A screenshot id cannot contain this character, so such an item is never in the place of a record.
PREFIX = "webhook#"


class AttemptResult(StrEnum):
    """How an attempt ended."""

    DELIVERED = "delivered"
    # Another attempt follows.
    FAILED = "failed"
    # No further attempt follows by itself; the message is a dead letter.
    GIVEN_UP = "given up"


class Attempt(WireModel):
    """One attempt. `at` is milliseconds since the epoch, `ms` how long it took. The path of a URL may be a secret."""

    event_id: str
    event: str
    host: str
    at: int
    ms: int
    result: AttemptResult
    http_status: int | None = None
    reason: Annotated[str | None, Field(description="why it was not delivered")] = None
    next_at: int | None = None

    def to_wire(self) -> dict[str, Any]:
        """The attempt by wire names, without what is not known."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class AttemptLog:
    """The attempts of all events of a screenshot, the oldest first and no more than a few hundred."""

    def __init__(self, table: Table, retention_seconds: int, clock: Clock) -> None:
        self._table = table
        self._retention_seconds = retention_seconds
        self._clock = clock

    def add(self, message: WebhookMessage, attempt: Attempt) -> None:
        """Raises ServiceUnavailable. Does nothing when there are as many as the item may hold."""
        expires_at = self._clock.now_ms() // 1000 + self._retention_seconds
        update = side_items.note_attempt(attempt.to_wire(), expires_at)
        self._table.update(PREFIX + message.screenshot_id, update)

    def read(self, screenshot_id: str) -> list[Attempt]:
        """Raises ServiceUnavailable."""
        item: dict[str, Any] = self._table.get(PREFIX + screenshot_id) or {}
        return [Attempt.model_validate(each) for each in item.get(ATTEMPT_LIST, ())]


def host_of(url: str) -> str:
    """The host of a URL, with its port if it names one."""
    return urlsplit(url).netloc
