"""The days of a watch: from midnight to midnight, by the clocks of its schedule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

# Days before that are not told of any more. Audit names what was missed for as long.
MAX_DAYS = 7
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """A day, or the rest of one. It ends with the moment before `until_ms`; times are milliseconds since the epoch."""

    date: date
    since_ms: int
    until_ms: int


def ended_days(timezone: str, told_ms: int | None, now_ms: int) -> Iterator[Day]:
    """The days that have ended and were not told of, in order: those since `told_ms`, or only the last one.

    They follow each other without a gap, also where the time zone was changed: a day begins where the one before it
    ended.
    """
    zone = ZoneInfo(timezone)
    today = _date(now_ms, zone)
    earliest_ms = _midnight(today - MAX_DAYS * ONE_DAY, zone)
    since_ms = max(told_ms, earliest_ms) if told_ms is not None else _midnight(today - ONE_DAY, zone)
    while True:
        day = _date(since_ms, zone)
        until_ms = _midnight(day + ONE_DAY, zone)
        if until_ms > now_ms:
            return
        yield Day(day, since_ms, until_ms)
        since_ms = until_ms


def _date(at_ms: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(at_ms / 1000, zone).date()


def _midnight(day: date, zone: ZoneInfo) -> int:
    """When a day begins. Where clocks are put forward at midnight, it begins at one o'clock."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).timestamp()) * 1000
