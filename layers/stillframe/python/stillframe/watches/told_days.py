"""Until when the days of each watch were told of: an item of the table for each watch."""

from __future__ import annotations

from stillframe.clock import Clock
from stillframe.table import side_items
from stillframe.table.attributes import TOLD_UNTIL
from stillframe.table.table import Table

# A screenshot id cannot contain this character, so such an item is never in the place of a record.
PREFIX = "digests#"


class ToldDays:
    """Reads and moves the end of what was told. Every method raises ServiceUnavailable."""

    def __init__(self, table: Table, kept_seconds: int, clock: Clock) -> None:
        self._table = table
        self._kept_seconds = kept_seconds
        self._clock = clock

    def until(self, watch: str) -> int | None:
        """The end of the last day that was told of, in milliseconds since the epoch; None before the first."""
        item = self._table.get(PREFIX + watch)
        return item[TOLD_UNTIL] if item is not None else None

    def move(self, watch: str, until_ms: int) -> None:
        """Note that everything before this time was told of. It never goes back."""
        expires_at = self._clock.now_ms() // 1000 + self._kept_seconds
        self._table.update(PREFIX + watch, side_items.raise_told_until(until_ms, expires_at))
