"""Where events are sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from stillframe.events import Event


class Sink(Protocol):
    """One way to send events.

    An event that was not sent comes again, and those after it come again with it, also to the other sinks. So every
    sink gets every event at least once, with the same id each time.
    """

    def send(self, events: Sequence[Event]) -> Collection[str]:
        """Send the events, in their order. Returns the ids of those that may not have been sent.

        If it raises an error, none of them counts as sent.
        """
