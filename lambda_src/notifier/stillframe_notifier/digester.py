"""Tells of the days of watches: an event for each page and day, once nothing of the day is under way."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from stillframe.clock import Clock
from stillframe.errors import CaptureError
from stillframe.events import Event
from stillframe.watches.day import Day, ended_days
from stillframe.watches.day_digest import DayDigest
from stillframe.watches.history import GRACE_MS, History
from stillframe.watches.store import WatchStore
from stillframe.watches.told_days import ToldDays
from stillframe.watches.watch import Watch

from .sink import Sink, send_to_all

logger = logging.getLogger("stillframe.notifier")

# What is still under way when a day has been over for so long is told as such.
MAX_WAIT_MS = 6 * 3_600_000


class DigestsUnsent(Exception):
    """Days of some watches could not be told of. The message names the watches; they are told of by the next tick."""


class Digester:
    """Sends digests. What it has sent is noted when a day of a watch is done, for all its pages.

    One that ends in between sends the same events again, with the same ids.
    """

    def __init__(
        self, store: WatchStore, history: History, told: ToldDays, sinks: Sequence[Sink], clock: Clock
    ) -> None:
        self._store = store
        self._history = history
        self._told = told
        self._sinks = sinks
        self._clock = clock
        # The page of each watch that was under way when its day was looked at last: the others need not be read before.
        self._waits_for: dict[str, str] = {}

    def tick(self, seconds: float | None = None) -> int:
        """Tell of each day that has ended. Returns how many digests were sent.

        A watch that fails keeps no other from being told of, and one that takes more than half of the `seconds` that
        are left fails. Raises DigestsUnsent at the end, and ServiceUnavailable if the watches cannot be read at all.
        """
        ends_ms = self._clock.now_ms() + int(seconds * 1000) if seconds is not None else None
        sent, failed = 0, []
        for watch in self._store.list():
            try:
                sent += self._tell(watch, ends_ms)
            except Exception as error:
                expected = isinstance(error, CaptureError | DigestsUnsent)
                extra = {"watch": watch.name, "reason": str(error)}
                logger.error("a watch has no digests", exc_info=not expected, extra=extra)
                failed.append(watch.name)
        if failed:
            raise DigestsUnsent(f"The days of {len(failed)} watches were not told of: {', '.join(failed[:10])}")
        return sent

    def _tell(self, watch: Watch, ends_ms: int | None) -> int:
        """Tell of the days of a watch, in order, until one of them is still under way."""
        sent, now_ms = 0, self._clock.now_ms()
        until_ms = (now_ms + ends_ms) // 2 if ends_ms is not None else None
        for day in ended_days(watch.schedule.timezone, self._told.until(watch.name), now_ms):
            digests = self._due_digests(watch, day, now_ms, until_ms)
            if digests is None:
                break
            if unsent := send_to_all(self._sinks, [Event.of_day(digest) for digest in digests]):
                raise DigestsUnsent(f"{len(unsent)} of {len(digests)} digests were not sent")
            sent += len(digests)
            self._told.move(watch.name, day.until_ms)
        return sent

    def _due_digests(self, watch: Watch, day: Day, now_ms: int, until_ms: int | None) -> list[DayDigest] | None:
        """The digests of the pages that have a period in the day, None while one of them is still under way.

        Before `until_ms` all of them must have been read. Raises DigestsUnsent.
        """
        over_ms = now_ms - day.until_ms - watch.spread_minutes * 60_000
        if over_ms < GRACE_MS:
            return None
        digests = []
        awaited = self._waits_for.pop(watch.name, None)
        for url in sorted(watch.known_urls, key=lambda url: url != awaited):
            if until_ms is not None and self._clock.now_ms() > until_ms:
                raise DigestsUnsent("its periods take too long to be read: make several watches of it")
            # The period of midnight is the first of its day.
            periods = self._history.past(watch, url, day.since_ms - 1, day.until_ms - 1)
            digest = DayDigest.of(watch, url, day, periods)
            if not digest.is_settled and over_ms <= MAX_WAIT_MS:
                self._waits_for[watch.name] = url
                return None
            if digest.periods:
                digests.append(digest)
        return digests
