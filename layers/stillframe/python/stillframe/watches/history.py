"""What became of the periods of a watch: its records are found by the ids that the periods have."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from stillframe.archive import Archive
from stillframe.table.record import Record
from stillframe.watches.watch import Watch, period_text

# BatchGetItem takes at most 100 keys.
CHUNK = 100
# A period counts as missed once it is over for this long, and a message may have waited in the queue.
GRACE_MS = 15 * 60 * 1000
# The states of a period that nobody has asked for.
MISSED = "missed"
DUE = "due"


@dataclass(frozen=True, slots=True)
class Period:
    """One URL in one period, with its record if there is one. Times are milliseconds since the epoch.

    `is_over` says of a period without a record that nobody will ask for it any more.
    """

    watch: Watch
    url: str
    at_ms: int
    record: Record | None
    is_over: bool

    @property
    def id(self) -> str:
        """The screenshot id."""
        return self.watch.id(self.url, period_text(self.at_ms))

    @property
    def state(self) -> str:
        """The status of the record; without one, `missed` if the period is over, and `due` until then."""
        if self.record is not None:
            return self.record.status.value
        return MISSED if self.is_over else DUE

    def to_wire(self) -> dict[str, Any]:
        """One line of `history --json`."""
        record = self.record.to_wire() if self.record is not None else {"id": self.id, "url": self.url}
        return {"watch": self.watch.name, "period": period_text(self.at_ms), **record, "status": self.state}


class History:
    """Reads periods with their records, up to a hundred with each call, and never the whole table."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def of(self, watch: Watch, url: str, after_ms: int, until_ms: int) -> Iterator[Period]:
        """The periods of a URL in a time, the latest first."""
        periods = watch.latest_periods(url, after_ms, until_ms)
        yield from self._read(watch, url, periods, lambda at_ms: _is_over(watch, at_ms, until_ms))

    def past(self, watch: Watch, url: str, after_ms: int, until_ms: int) -> Iterator[Period]:
        """The periods of a URL in a time that is over, the earliest first: what nobody has asked for is missed."""
        yield from self._read(watch, url, iter(watch.periods(url, after_ms, until_ms)), lambda _: True)

    def missed(self, watch: Watch, after_ms: int, now_ms: int) -> Iterator[Period]:
        """The periods in a time that nobody has asked for and nobody will any more, because the next one has begun."""
        for url in watch.known_urls:
            periods = iter(watch.periods(url, after_ms, now_ms))
            found = self._read(watch, url, periods, lambda at_ms: _is_over(watch, at_ms, now_ms))
            yield from (each for each in found if each.state == MISSED)

    def _read(self, watch: Watch, url: str, periods: Iterator[int], is_over: Callable[[int], bool]) -> Iterator[Period]:
        """The periods with their records. Whether one is over is asked of those without a record, as it takes long."""
        while chunk := {at_ms: watch.id(url, period_text(at_ms)) for at_ms in itertools.islice(periods, CHUNK)}:
            records = self._archive.records_by_id(list(chunk.values()))
            for at_ms, screenshot_id in chunk.items():
                record = records.get(screenshot_id)
                yield Period(watch, url, at_ms, record, record is None and is_over(at_ms))


def _is_over(watch: Watch, period_ms: int, now_ms: int) -> bool:
    """Whether the next period has begun, or the schedule of this one has ended, and the grace is over as well."""
    era = next((each for each in reversed(watch.eras) if each.since_ms < period_ms), watch.eras[0])
    ends = [each for each in (era.schedule.following(period_ms), era.until_ms) if each is not None]
    return bool(ends) and min(ends) + watch.spread_minutes * 60_000 + GRACE_MS < now_ms
