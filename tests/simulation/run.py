"""Run schedules on every core; the last line on stdout is JSON.

    python -m tests.simulation.run --schedules 100000 --weeks 1000
    python -m tests.simulation.run --story 42          # run one seed again and print its story, step by step

Runs the unchanged code, which must break no promise, and then every seeded bug until it is caught. A week is that of
one watched page.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

from .bugs import BUGS, Bug
from .schedule import Result, run_schedule
from .watching.bugs import WEEK_BUGS
from .watching.explore import explore_weeks, hunt_week, sums_of
from .watching.week import run_week

CHUNK = 500
# A bug that survives this many seeds counts as missed.
BUG_SEEDS = 10_000
STORIES = 3


def hunt(bug: Bug, limit: int = BUG_SEEDS) -> Result | None:
    """The first schedule in which a seeded bug breaks the promise that it names, or None."""
    results = map(run_schedule, range(limit), repeat(bug.parts))
    return next((each for each in results if each.violation and each.violation.promise is bug.breaks), None)


def main() -> None:
    """Exit with status 1 when a promise was broken or a seeded bug survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=100_000)
    parser.add_argument("--weeks", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=0, help="start at this seed instead of 0")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--story", type=int, metavar="SEED", help="run only this seed and print its story")
    parser.add_argument("--week", type=int, metavar="SEED", help="run only the week of this seed and print its story")
    options = parser.parse_args()
    _disable_logging()
    if options.story is not None or options.week is not None:
        result = run_schedule(options.story) if options.week is None else run_week(options.week)
        print(result.to_text())
        sys.exit(result.violation is not None)
    started = time.monotonic()
    with ProcessPoolExecutor(options.jobs, initializer=_disable_logging) as pool:
        seeds = range(options.first_seed, options.first_seed + options.schedules)
        failures = list(_explore(pool, seeds, started))
        weeks = list(explore_weeks(pool, options.weeks))
        caught: dict[str, Result | None] = dict(zip(map(_name, BUGS), pool.map(hunt, BUGS), strict=True))
        caught |= zip(map(_name, WEEK_BUGS), pool.map(hunt_week, WEEK_BUGS), strict=True)
    broken_weeks = [week for week in weeks if week.violation]
    for result in [*failures[:STORIES], *broken_weeks[:STORIES]]:
        print(result.to_text(), file=sys.stderr)
        kind = "--week" if result in broken_weeks else "--story"
        print(f"replay: python -m tests.simulation.run {kind} {result.plan.seed}", file=sys.stderr)
    print(bug_table(caught))
    figures = {
        "schedules": options.schedules,
        "violations": len(failures),
        "weeks": options.weeks,
        "weekViolations": len(broken_weeks),
        **sums_of(weeks),
        "seconds": round(time.monotonic() - started, 1),
        "bugsSeeded": len(caught),
        "bugsCaught": sum(result is not None for result in caught.values()),
    }
    print(json.dumps(figures))
    sys.exit(1 if failures or broken_weeks or None in caught.values() else 0)


def bug_table(caught: dict[str, Result | None]) -> str:
    """The table of docs/guarantees.md in Markdown: each bug, the seeds needed to catch it, and the broken promise."""
    lines = ["| seeded bug | seeds needed | broken promise |", "| --- | --- | --- |"]
    for name, result in caught.items():
        if result is None or result.violation is None:
            lines.append(f"| {name} | not caught in {BUG_SEEDS} | |")
        else:
            lines.append(f"| {name} | {result.plan.seed + 1} | {result.violation.promise} |")
    return "\n".join(lines)


def _explore(pool: ProcessPoolExecutor, seeds: range, started: float) -> Iterator[Result]:
    """Yield the schedules that broke a promise, as they are found."""
    chunks = [seeds[at : at + CHUNK] for at in range(0, len(seeds), CHUNK)]
    broken = 0
    for number, failures in enumerate(pool.map(_failures_in, chunks), 1):
        broken += len(failures)
        yield from failures
        if number % 20 == 0 or number == len(chunks):
            done = min(number * CHUNK, len(seeds))
            seconds = time.monotonic() - started
            print(f"simulate: {done} of {len(seeds)} schedules, {broken} broken, {seconds:.0f} s", file=sys.stderr)


def _failures_in(seeds: range) -> list[Result]:
    return [result for result in map(run_schedule, seeds) if result.violation]


def _name(bug: Bug) -> str:
    return bug.name


def _disable_logging() -> None:
    """The story already records what the code under test does."""
    logging.disable(logging.CRITICAL)


if __name__ == "__main__":
    main()
