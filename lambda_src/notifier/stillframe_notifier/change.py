"""One change of the table, as its stream has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from stillframe.events import Event

Item = Mapping[str, Any]
MAX_REASON_CHARS = 1000


class Unreadable(Exception):
    """A record that somebody has changed by hand, or that a newer version wrote. The message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Change:
    """An item before and after a write, in DynamoDB's typed form. `position` is its sequence number in the stream."""

    position: str
    keys: Item
    old: Item | None
    new: Item | None

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """Read a record of Lambda's event ("Using AWS Lambda with Amazon DynamoDB")."""
        stored = record["dynamodb"]
        return cls(stored["SequenceNumber"], stored.get("Keys", {}), stored.get("OldImage"), stored.get("NewImage"))

    def events(self) -> tuple[Event, ...]:
        """The events of the change. Raises Unreadable if the record is not one that an event can tell of."""
        try:
            events = Event.of_change(self.old, self.new)
            for event in events:
                # Options may be anything, also what JSON has no form for.
                event.subject.to_wire()
        except (ValueError, TypeError) as error:
            raise Unreadable(str(error)[:MAX_REASON_CHARS]) from error
        return events
