"""A watched page under every fault: for every change some days of it; `make simulate` runs whole weeks."""

from __future__ import annotations

import pytest

from ..bugs import Bug
from .bugs import WEEK_BUGS, ReadsTheLastOneLate
from .explore import hunt_week, sums_of
from .week import run_week

# Two captures rarely run at once; in this week they do.
RARE: dict[type, tuple[int, int]] = {ReadsTheLastOneLate: (87, 7)}


def test_each_period_is_captured_once_and_each_change_is_one_event() -> None:
    # Given / When the first days of some weeks
    results = [run_week(seed, days=1) for seed in range(40)]
    # Then no promise is broken; otherwise the shortest story is shown
    broken = sorted((each for each in results if each.violation is not None), key=lambda each: len(each.story))
    assert not broken, broken[0].to_text()
    # And there was something to see: changes, captures that failed, and some that another one overtook
    sums = sums_of(results)
    assert sums["periods"] == 40 * 24
    assert min(sums["events"], sums["failed"], sums["uncompared"]) > 10


@pytest.mark.parametrize("bug", WEEK_BUGS, ids=lambda bug: bug.name)
def test_a_week_shows(bug: Bug) -> None:
    # Given code with one plausible mistake
    first_seed, days = RARE.get(bug.parts.capture.comparer, (0, 1))
    # When weeks of it run
    result = hunt_week(bug, first_seed, days)
    # Then one of them breaks the promise that the bug names
    assert result is not None, "the bug survived"
    assert f"BROKEN: {bug.breaks}" in result.to_text().splitlines()[-1]
