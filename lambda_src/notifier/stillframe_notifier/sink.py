"""Where events are sent."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Protocol

from stillframe.events import Event

logger = logging.getLogger("stillframe.notifier")


class Sink(Protocol):
    """One way to send events.

    An event that was not sent comes again, and those after it come again with it, also to the other sinks. So every
    sink gets every event at least once, with the same id each time.
    """

    def send(self, events: Sequence[Event]) -> Collection[str]:
        """Send the events, in their order. Returns the ids of those that may not have been sent.

        If it raises an error, none of them counts as sent.
        """


def send_to_all(sinks: Sequence[Sink], events: Sequence[Event]) -> set[str]:
    """Give the events to every sink. Returns the ids of those that some sink may not have sent."""
    unsent: set[str] = set()
    if not events:
        return unsent
    for sink in sinks:
        try:
            unsent.update(sink.send(events))
        except Exception:
            logger.exception("a sink failed", extra={"sink": type(sink).__name__})
            unsent.update(event.id for event in events)
    return unsent
