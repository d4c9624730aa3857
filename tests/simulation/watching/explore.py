"""Many weeks, and what became of all their periods and changes together."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import fields

from ..bugs import Bug
from .week import WeekResult, run_week

# A bug that survives this many weeks counts as missed.
BUG_WEEKS = 300
PROGRESS_WEEKS = 20


def explore_weeks(pool: Executor, count: int) -> Iterator[WeekResult]:
    """The weeks of the first seeds, as they end. Those in which every promise held come without their story."""
    broken = 0
    for number, result in enumerate(pool.map(_run, range(count)), 1):
        broken += result.violation is not None
        yield result
        if number % PROGRESS_WEEKS == 0 or number == count:
            print(f"simulate: {number} of {count} weeks, {broken} broken", file=sys.stderr)


def hunt_week(bug: Bug, first_seed: int = 0, days: int = 7) -> WeekResult | None:
    """The first week in which a seeded bug breaks the promise that it names, or None."""
    results = (run_week(seed, bug.parts, days) for seed in range(first_seed, first_seed + BUG_WEEKS))
    return next((each for each in results if each.violation and each.violation.promise is bug.breaks), None)


def sums_of(results: list[WeekResult]) -> dict[str, int]:
    """The figures of all weeks together."""
    known = [result.figures for result in results if result.figures is not None]
    if not known:
        return {}
    return {each.name: sum(getattr(figures, each.name) for figures in known) for each in fields(known[0])}


def _run(seed: int) -> WeekResult:
    result = run_week(seed)
    if result.violation is None:
        result.story = []
    return result
