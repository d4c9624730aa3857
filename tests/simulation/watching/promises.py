"""What is promised about a watch, checked at the end of its week without the code that keeps the promise."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from stillframe.table.attributes import from_attributes
from stillframe_cli.watching.watch import Watch, period_text

from ..aws.bucket import SimulatedBucket
from ..aws.table import SimulatedTable
from ..invariants import Promise, Violation
from .page import WatchedPage, shown_in

FINAL = ("success", "failed")
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


@dataclass(frozen=True)
class Capture:
    """One successful capture: which version it shows, when it was taken, and what its record says about changes."""

    id: str
    version: int
    taken_ms: int
    compared_to: str | None
    changed: bool | None
    problem: str | None


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

    def check(self, watch: Watch, url: str, begins_ms: int, ends_ms: int) -> WeekFigures:
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
        changes = self._check_changes(line)
        return WeekFigures(
            periods=len(periods),
            captured=len(captures),
            failed=len(records) - len(captures),
            uncompared=len(captures) - len(line),
            changes=changes,
            events=sum(capture.changed is True for capture in captures),
        )

    def _capture(self, record: dict[str, Any]) -> Capture:
        version, taken_ms = shown_in(self._bucket.versions[record["s3Key"]][-1].data)
        return Capture(
            record["id"],
            version,
            taken_ms,
            record.get("comparedTo"),
            record.get("changed"),
            record.get("comparisonProblem"),
        )

    def _line(self, captures: Sequence[Capture]) -> list[Capture]:
        """The captures that were compared, from the first one on: each has one that it follows, and one after it."""
        followers = {each.compared_to: each for each in captures if each.compared_to is not None}
        if len(followers) < sum(each.compared_to is not None for each in captures):
            raise self._broken(Promise.ONE_CHANGE, "two captures were compared with the same one")
        firsts = [each for each in captures if each.compared_to is None and each.id in followers]
        line = firsts[:1]
        while line and line[-1].id in followers:
            line.append(followers[line[-1].id])
        if len(firsts) > 1 or len(line) < len(followers):
            raise self._broken(Promise.ONE_CHANGE, f"the comparisons begin {len(firsts)} times")
        return line

    def _check_changes(self, line: Sequence[Capture]) -> int:
        """Check that every change between two captures of the line is reported by the later one. Returns how many."""
        for earlier, later in itertools.pairwise(line):
            if earlier.taken_ms >= later.taken_ms:
                raise self._broken(Promise.ONE_CHANGE, f"{later.id} was compared with {earlier.id}, a later state")
            between = [at for at in self._page.changes if earlier.taken_ms < at <= later.taken_ms]
            if later.changed is not bool(between):
                raise self._broken(
                    Promise.ONE_CHANGE, f"{later.id} says changed: {later.changed}, after {len(between)} changes"
                )
        if not line:
            return 0
        return sum(line[0].taken_ms < at <= line[-1].taken_ms for at in self._page.changes)
