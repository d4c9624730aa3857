"""A batch of the table's changes: their events go to every sink, and the first that was not sent is reported."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from stillframe.events import Event

from .change import Change, Unreadable
from .sink import Sink, send_to_all

logger = logging.getLogger("stillframe.notifier")

Answer = dict[str, list[dict[str, str]]]


class Notifier:
    """Sends the events of changes.

    Nothing is remembered between two batches. A change that is read again is the same event, with the same id.
    The batch processor of Powertools is not used: it handles one change at a time, and sinks take several in a call.
    """

    def __init__(self, sinks: Sequence[Sink], put_aside: Callable[[Change, Unreadable], None]) -> None:
        """`put_aside` gets each change that cannot be read, which no repetition would mend. It may raise an error."""
        self._sinks = sinks
        self._put_aside = put_aside

    def handle(self, batch: Mapping[str, Any]) -> Answer:
        """Answer an event of Lambda with the first change that must come again, if there is one.

        Lambda delivers that change and all those after it once more ("Configuring partial batch response with DynamoDB
        and Lambda").
        """
        changes = [Change.of_record(record) for record in batch["Records"]]
        found: list[tuple[Change, Event]] = []
        again: set[str] = set()
        for change in changes:
            try:
                events_of_change = self.events_of(change)
            except Unreadable as error:
                if not self._is_put_aside(change, error):
                    again.add(change.position)
            else:
                found += [(change, event) for event in events_of_change]
        # A change may be in a batch twice.
        events = list({event.id: event for _, event in found}.values())
        unsent = send_to_all(self._sinks, events)
        again |= {change.position for change, event in found if event.id in unsent}
        self._log(changes, events, unsent)
        return _answer(change.position for change in changes if change.position in again)

    def events_of(self, change: Change) -> Sequence[Event]:
        """The events of a change. Raises Unreadable."""
        return change.events()

    def _is_put_aside(self, change: Change, error: Unreadable) -> bool:
        logger.error("a change cannot be read", extra={"keys": change.keys, "reason": str(error)})
        try:
            self._put_aside(change, error)
        except Exception:
            logger.exception("a change that cannot be read was not put aside")
            return False
        return True

    def _log(self, changes: Sequence[Change], events: Sequence[Event], unsent: set[str]) -> None:
        level = logging.WARNING if unsent else logging.INFO if events else logging.DEBUG
        counts = {"changes": len(changes), "sent": len(events) - len(unsent), "unsent": len(unsent)}
        logger.log(level, "events", extra={**counts, "eventIds": [event.id for event in events]})


def _answer(positions: Iterable[str]) -> Answer:
    first = next(iter(positions), None)
    return {"batchItemFailures": [] if first is None else [{"itemIdentifier": first}]}
