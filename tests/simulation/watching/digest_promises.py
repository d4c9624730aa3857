"""What is promised about digests, checked at the end of the week."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from ..aws.event_bus import Entry, SimulatedEventBus
from ..aws.table import SimulatedTable
from ..promise import Promise, Violation
from ..scheduler import Scheduler

DIGEST = "Watch Digest"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
# The clocks of two processes.
MAX_SKEW_MS = 60_000
# What is under way for longer is told as it is.
MAX_WAIT_MS = 6 * HOUR_MS - MAX_SKEW_MS
# Far longer than reading a day and sending its digest take, and than any fault of a digester lasts.
MAX_READ_MS = 15 * 60_000
MAX_LATE_MS = 8 * HOUR_MS


class DigestPromises:
    """Watches which periods are captured, and what is said about their days, which are days at UTC."""

    def __init__(
        self,
        broken: Callable[[Promise, str], Violation],
        table: SimulatedTable,
        bus: SimulatedEventBus,
        scheduler: Scheduler,
    ) -> None:
        self._broken = broken
        self._scheduler = scheduler
        # When each period was first captured, by the day of its id.
        self._captured: dict[str, dict[str, int]] = defaultdict(dict)
        # What was sent, and when.
        self._told: list[tuple[int, dict[str, Any]]] = []
        table.watchers.append(self._written)
        bus.watchers.append(self._sent)

    def check_end(self, begins_ms: int, ends_ms: int, day_of: Callable[[int], str]) -> int:
        """Check that each day of the week that has been over for long has one digest. Returns how many there are.

        `day_of` is the day of a time as a digest names it.
        """
        first_midnight_ms = -(-begins_ms // DAY_MS) * DAY_MS
        days = [day_of(midnight_ms - 1) for midnight_ms in range(first_midnight_ms, ends_ms - MAX_LATE_MS, DAY_MS)]
        for told_ms, digest in self._told:
            self._check(told_ms, digest)
        for day in days:
            ids = {digest["eventId"] for _, digest in self._told if digest["day"] == day}
            if len(ids) != 1:
                raise self._broken(Promise.ONE_DIGEST, f"{day} has the digests {sorted(ids)}")
        return len(days)

    def _written(self, key: str, old: Any, new: Any) -> None:
        if new.get("status", {}).get("S") == "success":
            self._captured[_day(key)].setdefault(key, self._scheduler.now_ms)

    def _sent(self, entry: Entry) -> None:
        if entry["DetailType"] == DIGEST:
            self._told.append((self._scheduler.now_ms, json.loads(entry["Detail"])))

    def _check(self, told_ms: int, digest: dict[str, Any]) -> None:
        """Check what was sent at a time: what happened while the day was read may be in it or not."""
        day, over_ms = digest["day"], told_ms - digest["until"]
        settled = digest["captured"] + digest["failed"] + digest["missed"]
        if over_ms < -MAX_SKEW_MS:
            raise self._broken(Promise.ONE_DIGEST, f"{day} was told before it had ended")
        if settled < digest["periods"] and over_ms < MAX_WAIT_MS:
            raise self._broken(Promise.ONE_DIGEST, f"{day} was told while periods were under way")
        captured = self._captured[day].values()
        at_least, at_most = (sum(at_ms <= told_ms - read_ms for at_ms in captured) for read_ms in (MAX_READ_MS, 0))
        if not at_least <= digest["captured"] <= at_most:
            raise self._broken(Promise.ONE_DIGEST, f"{day}: {digest['captured']} captured, and not {at_most}")


def _day(period: str) -> str:
    """The day in the id of a period."""
    return period.split(":", 3)[3].partition("T")[0]
