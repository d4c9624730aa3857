"""A batch of the table's changes: their events go to every sink, and the first that was not sent is reported."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from stillframe.events import Event

from .change import Change
from .sink import Sink

logger = logging.getLogger("stillframe.notifier")

Answer = dict[str, list[dict[str, str]]]


class Notifier:
    """Sends the events of changes.

    Nothing is remembered between two batches. A change that is read again is the same event, with the same id.
    """

    def __init__(self, sinks: Sequence[Sink], put_aside: Callable[[Change, ValueError], None]) -> None:
        """`put_aside` gets each change that cannot be read, which no repetition would mend. It may raise an error."""
        self._sinks = sinks
        self._put_aside = put_aside

    def handle(self, batch: Mapping[str, Any]) -> Answer:
        """Answer an event of Lambda with the first change that must come again, if there is one.

        Lambda delivers that change and all those after it once more ("Configuring partial batch response with DynamoDB
        and Lambda").
        """
        changes = [Change.of_record(record) for record in batch["Records"]]
        events: dict[str, Event] = {}
        by_position: dict[str, str] = {}
        again: set[str] = set()
        for change in changes:
            try:
                event = self.event_of(change)
            except ValueError as error:
                if not self._is_put_aside(change, error):
                    again.add(change.position)
                continue
            if event is not None:
                events[event.id] = event
                by_position[change.position] = event.id
        unsent = self._send(list(events.values()))
        again |= {position for position, event_id in by_position.items() if event_id in unsent}
        self._log(changes, events, unsent)
        return _answer(change.position for change in changes if change.position in again)

    def event_of(self, change: Change) -> Event | None:
        """The event of a change, or None. Raises ValueError if the change cannot be read."""
        return change.event()

    def _send(self, events: Sequence[Event]) -> set[str]:
        """Give the events to every sink. Returns the ids of those that some sink may not have sent."""
        unsent: set[str] = set()
        if not events:
            return unsent
        for sink in self._sinks:
            try:
                unsent.update(sink.send(events))
            except Exception:
                logger.exception("a sink failed", extra={"sink": type(sink).__name__})
                unsent.update(event.id for event in events)
        return unsent

    def _is_put_aside(self, change: Change, error: ValueError) -> bool:
        logger.error("a change cannot be read", extra={"keys": change.keys, "reason": str(error)[:1000]})
        try:
            self._put_aside(change, error)
        except Exception:
            logger.exception("a change that cannot be read was not put aside")
            return False
        return True

    def _log(self, changes: Sequence[Change], events: Mapping[str, Event], unsent: set[str]) -> None:
        level = logging.WARNING if unsent else logging.INFO if events else logging.DEBUG
        counts = {"changes": len(changes), "sent": len(events) - len(unsent), "unsent": len(unsent)}
        logger.log(level, "events", extra={**counts, "eventIds": list(events)})


def _answer(positions: Iterable[str]) -> Answer:
    first = next(iter(positions), None)
    return {"batchItemFailures": [] if first is None else [{"itemIdentifier": first}]}
