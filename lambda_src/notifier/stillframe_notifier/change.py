"""One change of the table, as its stream has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from stillframe.events import Event

Item = Mapping[str, Any]


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

    def event(self) -> Event | None:
        """The event of the change, or None. Raises ValueError if the record is none that this version can read."""
        return Event.of_change(self.old, self.new)
