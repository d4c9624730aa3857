"""Tells of the days of watches: an event for each page and day, once nothing of the day is under way."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from stillframe.clock import Clock
from stillframe.errors import CaptureError
from stillframe.events import Event
from stillframe.watches.day import Day, ended_days
from stillframe.watches.day_digest import DayDigest
from stillframe.watches.history import History
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

    def tick(self) -> int:
        """Tell of each day that has ended. Returns how many digests were sent.

        A watch that fails keeps no other from being told of. Raises DigestsUnsent at the end, and ServiceUnavailable if
        the watches cannot be read at all.
        """
        sent, failed = 0, []
        for watch in self._store.list():
            try:
                sent += self._tell(watch)
            except Exception as error:
                expected = isinstance(error, CaptureError | DigestsUnsent)
                logger.error("a watch has no digests", exc_info=not expected, extra={"watch": watch.name})
                failed.append(watch.name)
        if failed:
            raise DigestsUnsent(f"The days of {len(failed)} watches were not told of: {', '.join(failed[:10])}")
        return sent

    def _tell(self, watch: Watch) -> int:
        """Tell of the days of a watch, in order, until one of them is still under way."""
        sent, now_ms = 0, self._clock.now_ms()
        for day in ended_days(watch.schedule.timezone, self._told.until(watch.name), now_ms):
            digests = list(self._digests(watch, day, now_ms))
            if not self._is_due(watch, day, digests, now_ms):
                break
            if unsent := send_to_all(self._sinks, [Event.of_day(digest) for digest in digests]):
                raise DigestsUnsent(f"{len(unsent)} of {len(digests)} digests were not sent")
            sent += len(digests)
            self._told.move(watch.name, day.until_ms)
        return sent

    def _is_due(self, watch: Watch, day: Day, digests: Sequence[DayDigest], now_ms: int) -> bool:
        """Whether nothing of the day is under way, or has been for too long."""
        is_late = now_ms - day.until_ms > MAX_WAIT_MS + watch.spread_minutes * 60_000
        return is_late or all(digest.is_settled for digest in digests)

    def _digests(self, watch: Watch, day: Day, now_ms: int) -> Iterator[DayDigest]:
        """The digests of the pages that have a period in the day."""
        for url in watch.known_urls:
            # The period of midnight is the first of its day.
            periods = self._history.within(watch, url, day.since_ms - 1, day.until_ms - 1, now_ms)
            digest = DayDigest.of(watch, url, day, periods)
            if digest.periods:
                yield digest
