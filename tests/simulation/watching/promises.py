"""What is promised about a watch, checked at the end of its week without the code that keeps the promise."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from stillframe.table.attributes import from_attributes
from stillframe.watches.watch import Watch, period_text

from ..aws.bucket import SimulatedBucket
from ..aws.table import SimulatedTable
from ..promise import Promise, Violation
from .page import WatchedPage, shown_in

FINAL = ("success", "failed")
IS_FIRST = "there is no earlier capture of this request"
# An image is at prefix/shard/id.png, and an extra object is deeper.
IMAGE_DEPTH = 2


@dataclass(frozen=True)
class WeekFigures:
    """How many periods there were, how many were captured or failed, and what became of the changes.

    `uncompared` captures ended while another one was completed, or had no time left: the next one tells of a change.
    Several changes between two captures are one event.
    """

    periods: int
    captured: int
    failed: int
    uncompared: int
    changes: int
    events: int
    digests: int = 0


@dataclass(frozen=True)
class Capture:
    """One successful capture: which version it shows, when it was taken, and whether its record reports a change."""

    id: str
    version: int
    taken_ms: int
    follows: str | None
    is_compared: bool
    is_reported: bool


class WeekPromises:
    """Checks the records and objects of a week."""

    def __init__(
        self,
        broken: Callable[[Promise, str], Violation],
        table: SimulatedTable,
        bucket: SimulatedBucket,
        page: WatchedPage,
    ) -> None:
        self._broken = broken
        self._table = table
        self._bucket = bucket
        self._page = page

    def check(self, judge: Judge, watch: Watch, url: str, begins_ms: int, ends_ms: int) -> WeekFigures:
        """Check every period between two times. Raises Violation."""
        periods = [watch.id(url, period_text(at_ms)) for at_ms in watch.periods(url, begins_ms, ends_ms)]
        records = {key: from_attributes(item) for key, item in self._table.items.items() if "#" not in key}
        for period in periods:
            if records.get(period, {}).get("status") not in FINAL:
                raise self._broken(Promise.EVERY_PERIOD, f"{period} was not captured")
        for key in records.keys() - set(periods):
            if not key.startswith(watch.series(url)) or key <= max(periods):
                raise self._broken(Promise.EVERY_PERIOD, f"{key} is no period of the watch")
        captures = [self._capture(record) for record in records.values() if record["status"] == "success"]
        for key in self._bucket.versions:
            if key.count("/") == IMAGE_DEPTH and key.rpartition("/")[2].removesuffix(".png") not in records:
                raise self._broken(Promise.EVERY_PERIOD, f"{key} is the image of no period")
        line = self._line(captures)
        changes = self._check_changes(judge, line)
        return WeekFigures(
            periods=len(periods),
            captured=len(captures),
            failed=len(records) - len(captures),
            uncompared=len(captures) - len(line),
            changes=changes,
            events=sum(capture.is_reported for capture in captures),
        )

    def _capture(self, record: dict[str, Any]) -> Capture:
        image = self._bucket.versions[record["s3Key"]][-1]
        version, taken_ms = shown_in(image.data)
        return Capture(
            record["id"],
            version,
            taken_ms,
            image.metadata.get("follows", image.metadata.get("compared-to")),
            record.get("comparisonProblem", IS_FIRST) == IS_FIRST,
            bool(record.get("changed")) and "changedSince" not in record,
        )

    def _line(self, captures: Sequence[Capture]) -> list[Capture]:
        """The captures that were compared, from the first one on: each has one that it follows, and one after it."""
        compared = [each for each in captures if each.is_compared]
        followers = {each.follows: each for each in compared}
        if len(followers) < len(compared):
            raise self._broken(Promise.ONE_CHANGE, "two captures follow the same one")
        line = [followers[None]] if None in followers else []
        while line and line[-1].id in followers:
            line.append(followers[line[-1].id])
        if len(line) < len(compared):
            raise self._broken(Promise.ONE_CHANGE, f"only {len(line)} of {len(compared)} captures are in one line")
        return line

    def _check_changes(self, judge: Judge, line: Sequence[Capture]) -> int:
        """Check that each change between two captures of the line is reported when it has to be. Returns how many."""
        for earlier, later in itertools.pairwise(line):
            if earlier.taken_ms >= later.taken_ms:
                raise self._broken(Promise.ONE_CHANGE, f"{later.id} was compared with {earlier.id}, a later state")
        for capture in line:
            if judge.reports(capture.version) is not capture.is_reported:
                raise self._broken(Promise.ONE_CHANGE, f"{capture.id} reports a change: {capture.is_reported}")
        if not line:
            return 0
        return sum(line[0].taken_ms < at <= line[-1].taken_ms for at in self._page.changes)


class Judge:
    """Which captures have to report a change, by the versions of the page that they show, one after the other."""

    def __init__(self, has_baseline: bool, confirms: bool) -> None:
        self._has_baseline = has_baseline
        self._needed = 2 if confirms else 1
        self._known: int | None = None
        # The versions that were shown in a row without being known.
        self._row: list[int] = []

    def reports(self, version: int) -> bool:
        """Whether the capture that shows this version reports a change."""
        if self._known is None or version == self._known:
            self._known, self._row = version, []
            return False
        self._row = [*self._row, version] if self._row[-1:] == [version] else [version]
        is_due = len(self._row) == self._needed
        if is_due and not self._has_baseline:
            self._known, self._row = version, []
        return is_due
