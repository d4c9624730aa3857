"""The baselines of a watch: the captures that somebody has approved, and with which new ones are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from stillframe.archive import Archive
from stillframe.clients import Clients
from stillframe.clock import Clock, SystemClock
from stillframe.refused import Refused
from stillframe.request.options import BASELINE
from stillframe.settings import Settings
from stillframe.table.last_capture import EarlierCapture, LastCapture, LastCaptures, key_of, replacement
from stillframe.table.record import Record, Status
from stillframe.table.table import Table
from stillframe.watches.history import History
from stillframe.watches.watch import Watch

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class PageBaseline:
    """A page of a watch, with the capture that is its baseline: None before the first one."""

    url: str
    capture: EarlierCapture | None


class Baselines:
    """Reads and replaces the baselines of watches. Every method raises ServiceUnavailable and Refused."""

    def __init__(self, clients: Clients, settings: Settings, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._archive = Archive(clients, settings)
        self._table = Table(clients.dynamodb, settings.table_name)
        self._last_captures = LastCaptures(self._table)
        self._kept_seconds = settings.record_retention_seconds

    def of(self, watch: Watch) -> Iterator[PageBaseline]:
        """The baseline of each page."""
        _check(watch)
        for url in watch.urls:
            last = self._last_captures.read(_key(watch, url))
            yield PageBaseline(url, last.reference if last is not None else None)

    def image(self, baseline: EarlierCapture) -> tuple[Record, bytes]:
        """The record and the image of a baseline."""
        record = self._archive.require(baseline.id)
        return record, self._archive.image(record)

    def approve(self, watch: Watch, url: str, period: str | None = None) -> EarlierCapture:
        """Make a capture of a page its baseline: that of a period, or else the latest one that succeeded.

        A capture that is under way meanwhile is compared with the baseline before, and changes nothing of the new one.
        """
        _check(watch)
        record = self._chosen(watch, url, period)
        capture = EarlierCapture(record.id, record.s3_key or "", record.ignored_boxes or ())
        key = _key(watch, url)
        for _ in range(ATTEMPTS):
            last = self._last_captures.read(key)
            if last is None:
                raise Refused(f"{url} has not been captured with the options that {watch.name} has now.")
            following = replace(last, reference=capture, candidate=None, is_reported=False)
            if self._is_replaced(key, last, following):
                return capture
        raise Refused(f"{url} is being captured at this moment. Try again.")

    def _is_replaced(self, key: str, last: LastCapture, following: LastCapture) -> bool:
        expires_at = self._clock.now_ms() // 1000 + self._kept_seconds
        return self._table.update(key, replacement(last, following, expires_at)).is_applied

    def _chosen(self, watch: Watch, url: str, period: str | None) -> Record:
        if period is not None:
            record = self._archive.require(watch.id(url, period))
        else:
            found = History(self._archive).of(watch, url, 0, self._clock.now_ms())
            captured = (each.record for each in found if each.record and each.record.status is Status.SUCCESS)
            latest = next(captured, None)
            if latest is None:
                raise Refused(f"{url} has not been captured by {watch.name} yet.")
            record = latest
        if record.status is not Status.SUCCESS or record.payload_hash != watch.request(url, 0).payload_hash:
            raise Refused(f"{record.id} was captured with other options, or not at all: it cannot be compared with.")
        return record


def _key(watch: Watch, url: str) -> str:
    return key_of(watch.request(url, 0), None)


def _check(watch: Watch) -> None:
    if watch.compare_to != BASELINE:
        raise Refused(
            f"{watch.name} does not compare with a baseline. `stillframe watch add {watch.name} ... --baseline` "
            "changes that."
        )
