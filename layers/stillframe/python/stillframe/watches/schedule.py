"""When a watch captures: a cron rule in a time zone, with the same times here and on EventBridge Scheduler."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

FIELDS = re.compile(r"[0-9A-Za-z*,/-]+( [0-9A-Za-z*,/-]+){4}")
INTERVAL = re.compile(r"(\d{1,4})(m|h|d)")
# At UTC, so that every hour has each of them, and a day is 24 hours.
WHOLE = {"m": 60, "h": 24}
INTERVALS = "1m to 30m (a divisor of an hour), 1h to 12h (a divisor of a day), 1d or 7d"
# How far a local time and the time itself may be apart from their neighbours where clocks are put forward or back.
CLOCK_CHANGE = timedelta(hours=3)
# API_CreateSchedule of EventBridge Scheduler, ScheduleExpression.
MAX_EXPRESSION_CHARS = 256


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron rule of five fields (minute, hour, day of the month, month, day of the week) in a time zone.

    A local time that does not exist because clocks are put forward is left out, and one that exists twice counts once,
    the first time ("Schedule types in EventBridge Scheduler", daylight saving time). Times are milliseconds since the
    epoch.
    """

    cron: str
    timezone: str = "UTC"

    @classmethod
    def of(cls, cron: str, timezone: str = "UTC") -> Self:
        """Check a rule and a time zone. Raises ValueError, which says what is wrong."""
        schedule = cls(" ".join(cron.upper().split()), timezone)
        try:
            ZoneInfo(timezone)
        except (ValueError, OSError, KeyError) as error:
            raise ValueError(f"timezone: {timezone!r} is none; expected UTC or a name such as Europe/Berlin") from error
        if not FIELDS.fullmatch(schedule.cron):
            raise ValueError(
                f"cron: {cron!r} has not five fields of numbers, names, * , - and /; every day at 6:30 is '30 6 * * *'"
            )
        try:
            fields = CronSim(schedule.cron, datetime.now())
        except CronSimError as error:
            raise ValueError(f"cron: {cron!r}: {str(error).lower()}; every day at 6:30 is '30 6 * * *'") from error
        if min(fields.days) < 0 or not all(isinstance(day, int) for day in fields.weekdays):
            raise ValueError(f"cron: {cron!r} has L, for the last day, which is not supported")
        if len(fields.days) < 31 and len(_weekdays(fields)) < 7:
            raise ValueError(f"cron: {cron!r} has a day of the month and a day of the week: one must be *")
        if len(schedule.expression) > MAX_EXPRESSION_CHARS:
            raise ValueError(f"cron: {cron!r} has too many values")
        return schedule

    @classmethod
    def every(cls, interval: str) -> Self:
        """The schedule of an interval such as `15m`, `1h` or `1d`, from midnight UTC on. Raises ValueError."""
        found = INTERVAL.fullmatch(interval.strip().lower())
        number, unit = (int(found[1]), found[2]) if found else (0, "")
        if unit in WHOLE and 0 < number < WHOLE[unit] and WHOLE[unit] % number == 0:
            return cls.of(f"*/{number} * * * *" if unit == "m" else f"0 */{number} * * *")
        if unit == "d" and number in (1, 7):
            return cls.of("0 0 * * *" if number == 1 else "0 0 * * 1")
        raise ValueError(f"every: {interval!r} is none of {INTERVALS}; for anything else, use cron")

    def between(self, after_ms: int, until_ms: int) -> Iterator[int]:
        """The times that are later than the first and not later than the second, in order."""
        for moment in self._from(after_ms):
            if moment > until_ms:
                return
            yield moment

    def backwards(self, until_ms: int, after_ms: int) -> Iterator[int]:
        """The same times as those of `between`, the last one first."""
        for moment in self._until(until_ms):
            if moment <= after_ms:
                return
            yield moment

    def following(self, after_ms: int) -> int | None:
        """The first time after this one, None if there is none (30 February)."""
        return next(self._from(after_ms), None)

    def latest(self, at_ms: int) -> int | None:
        """The last time that is not later than this one, None if there is none."""
        return next(self._until(at_ms), None)

    @property
    def expression(self) -> str:
        """The rule as EventBridge Scheduler writes it: six fields, Sunday is 1, and one kind of day is `?`."""
        fields = CronSim(self.cron, datetime.now())
        weekdays = _weekdays(fields)
        days = _listed(fields.days, 31)
        week = "?" if len(weekdays) == 7 else _listed({day + 1 for day in weekdays}, 7)
        parts = (_listed(fields.minutes, 60), _listed(fields.hours, 24), days if week == "?" else "?")
        return f"cron({' '.join(parts)} {_listed(fields.months, 12)} {week} *)"

    def _from(self, after_ms: int) -> Iterator[int]:
        moments = self._moments(self._local(after_ms) - CLOCK_CHANGE)
        return itertools.dropwhile(lambda moment: moment <= after_ms, moments)

    def _until(self, until_ms: int) -> Iterator[int]:
        moments = self._moments(self._local(until_ms) + CLOCK_CHANGE, reverse=True)
        return itertools.dropwhile(lambda moment: moment > until_ms, moments)

    def _local(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms / 1000, ZoneInfo(self.timezone)).replace(tzinfo=None, microsecond=0)

    def _moments(self, start: datetime, *, reverse: bool = False) -> Iterator[int]:
        zone = ZoneInfo(self.timezone)
        for local in CronSim(self.cron, start, reverse=reverse):
            moment = local.replace(tzinfo=zone).astimezone(UTC)
            if moment.astimezone(zone).replace(tzinfo=None) == local:
                yield int(moment.timestamp()) * 1000


def _weekdays(fields: CronSim) -> set[int]:
    """The days of the week from 0, Sunday, to 6: cron's 7 is a Sunday as well."""
    return {day % 7 for day in fields.weekdays if isinstance(day, int)}


def _listed(values: set[int], whole: int) -> str:
    return "*" if len(values) == whole else ",".join(map(str, sorted(values)))
