"""The passing of months: records expire, their objects stay, and ids are used again."""

from __future__ import annotations

from .aws.queue import SimulatedQueue
from .aws.table import SimulatedTable
from .invariants import Invariants
from .scheduler import Scheduler

# DynamoDB deletes an expired item "within a few days" (Developer Guide, "Time to Live").
MAX_DELETION_DELAY_MS = 2 * 24 * 3600 * 1000


class Retention:
    """Lets everything expire that has a retention, except objects, which are kept for longer."""

    def __init__(
        self, scheduler: Scheduler, invariants: Invariants, table: SimulatedTable, dead_letters: SimulatedQueue
    ) -> None:
        self._scheduler = scheduler
        self._invariants = invariants
        self._table = table
        self._dead_letters = dead_letters

    def expire(self) -> None:
        """Drop the dead letters, and delete each expired item some time within the next days."""
        self._scheduler.log("retention", "months have passed")
        self._dead_letters.messages.clear()
        self._invariants.forget()
        for key in self._table.items:
            delay_ms = self._scheduler.rng.choice((0, self._scheduler.rng.randint(0, MAX_DELETION_DELAY_MS)))
            self._scheduler.after(delay_ms, lambda key=key: self._delete(key))  # type: ignore[misc]

    def _delete(self, key: str) -> None:
        """Delete the item, unless it was written anew in the meantime."""
        if int(self._table.items[key]["expiresAt"]["N"]) * 1000 < self._scheduler.now_ms:
            self._invariants.expires(key)
            self._table.expire(key)
            self._scheduler.log("retention", "an item expires")
