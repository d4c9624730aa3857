"""Plausible mistakes of the notifier."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from stillframe.events import Event, event_id
from stillframe.request.envelope import EventKind
from stillframe.table.record import Record, Status
from stillframe_notifier.change import Change
from stillframe_notifier.event_bus import EventBus
from stillframe_notifier.notifier import Answer, Notifier


class NamesEventsAtRandom(Notifier):
    """Gives an event a new id each time it is sent."""

    def events_of(self, change: Change) -> Sequence[Event]:
        return [replace(event, id=f"evt_{uuid.uuid4().hex}") for event in super().events_of(change)]


class TellsOfClaims(Notifier):
    """Sends an event when a capture begins."""

    def events_of(self, change: Change) -> Sequence[Event]:
        if change.new and change.new.get("status", {}).get("S") == Status.PROCESSING:
            record = Record.from_item(change.new)
            return (Event(event_id(record), EventKind.CAPTURED, record.updated_at or 0, record),)
        return super().events_of(change)


class AnswersSuccess(Notifier):
    """Answers that all is well, although some events were not sent."""

    def handle(self, batch: Mapping[str, Any]) -> Answer:
        super().handle(batch)
        return {"batchItemFailures": []}


class ReadsBackwards(Notifier):
    """Reports the last change that must come again: Lambda takes it that all before it are done."""

    def handle(self, batch: Mapping[str, Any]) -> Answer:
        return super().handle({"Records": batch["Records"][::-1]})


class BelievesTheStatus(EventBus):
    """Takes HTTP 200 to mean that EventBridge took every entry."""

    def _put(self, entries: list[dict[str, Any]]) -> set[int]:
        super()._put(entries)
        return set()
