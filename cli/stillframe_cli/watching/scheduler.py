"""Sends the requests of each period on this machine, as EventBridge Scheduler does in an account."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from stillframe.clock import Clock, SystemClock
from stillframe.errors import CaptureError, TransientError
from stillframe.intake import Accepted, Intake
from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import id_digest
from stillframe.watches.store import WatchStore
from stillframe.watches.watch import Watch

logger = logging.getLogger("stillframe.watches")

# How long a schedule without any further time is left alone.
QUIET_MS = 24 * 3600 * 1000
# As many as one call of the API takes.
BATCH = 100


@dataclass(frozen=True, slots=True)
class Due:
    """A request whose time has come: for the period of a series that began last."""

    series: str
    request: CaptureRequest


class Scheduler:
    """Sends the latest period of each series once its moment has come.

    A period that comes late, because nobody was there to send it, is sent until the next one begins. Its id is the same
    however often it is sent, so that two schedulers, or one that was killed, cause no second capture.
    """

    def __init__(self, store: WatchStore, intake: Intake, clock: Clock | None = None) -> None:
        self._store = store
        self._intake = intake
        self._clock = clock or SystemClock()
        # The id that was sent last, by series.
        self._sent: dict[str, str] = {}
        # From when until when there is nothing to send for this version of its watch, by series.
        self._quiet: dict[str, tuple[int, int, int]] = {}
        # The version of each watch that could not be served.
        self._unserved: dict[str, int] = {}

    def tick(self) -> int:
        """Send what is due. Returns how many requests were accepted. What was not is sent again by the next tick.

        Raises ServiceUnavailable when AWS does not do as asked.
        """
        due = [each for watch in self._store.list() for each in self._served(watch)]
        accepted = 0
        for start in range(0, len(due), BATCH):
            batch = due[start : start + BATCH]
            answers = self._intake.accept([each.request for each in batch])
            for each, answer in zip(batch, answers, strict=True):
                accepted += self._note(each, answer)
        return accepted

    def _note(self, due: Due, answer: Accepted | CaptureError) -> bool:
        if isinstance(answer, Accepted) or not isinstance(answer, TransientError):
            self._sent[due.series] = due.request.id
        if isinstance(answer, Accepted):
            return True
        logger.warning("%s: %s: %s", due.request.id, answer.code, answer.message)
        return False

    def _served(self, watch: Watch) -> list[Due]:
        """What is due of a watch. One that this machine cannot read, as another version made it, harms no other."""
        try:
            return list(self._due(watch))
        except Exception as error:
            if self._unserved.get(watch.name) != watch.version:
                self._unserved[watch.name] = watch.version
                logger.error("the watch %s is not served: %s", watch.name, error)
            return []

    def _due(self, watch: Watch) -> Iterator[Due]:
        if watch.is_paused:
            return
        now_ms = self._clock.now_ms()
        for url, added_ms in watch.urls.items():
            series = watch.series(url)
            moment = now_ms - delay_ms(series, watch.spread_minutes)
            version, begins_ms, ends_ms = self._quiet.get(series, (0, 0, 0))
            # A clock that was set back is before it.
            if version == watch.version and begins_ms <= moment < ends_ms:
                continue
            period = watch.schedule.latest(moment)
            if period is not None and period > max(added_ms, watch.eras[-1].since_ms):
                request = watch.request(url, period)
                if self._sent.get(series) != request.id:
                    yield Due(series, request)
                    continue
            following = watch.schedule.following(moment)
            ends_ms = following if following is not None else moment + QUIET_MS
            self._quiet[series] = (watch.version, moment, ends_ms)


def delay_ms(series: str, spread_minutes: int) -> int:
    """How long after the beginning of a period a series is captured: always the same, and spread over the minutes."""
    return int(id_digest(series)[:8], 16) % (spread_minutes * 60_000) if spread_minutes else 0
