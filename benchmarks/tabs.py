"""How close the number of tabs that a worker finds is to the best fixed number, for each page class and latency.

python -m benchmarks.tabs --rounds 2

A new tab gate gets thirty captures to find a number. That number is judged by the speeds of the fixed numbers, each
measured several times in turn, in the same browser, so that noise in a measurement does not count as a bad choice.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import logging
import math
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from stillframe.clock import Deadline, SystemClock
from stillframe.egress.policy import EgressPolicy
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium.browser import Chromium
from stillframe_renderer.chromium.executable import find_chromium
from stillframe_renderer.guard.server import EgressGuard
from stillframe_renderer.load.machine import CpuShare, available_cpus
from stillframe_renderer.load.tabs import TabGate
from stillframe_renderer.process_setup import limit_arenas
from stillframe_renderer.runtime import TABS_PER_CPU

from . import pages
from .contenders.job import is_full_page
from .contenders.renderer import OPTIONS
from .machine import describe_machine

LATENCIES_MS = (0, 50, 300)
FLOOR, CEILING = 2, 16
FIXED = (2, 4, 6, 8, 12, 16)
# The captures that a tab gate has to find a number.
CAPTURES_TO_FIND = 30
SEARCHES = 3
# The captures counted per fixed number. One more per tab comes before and after, so that all tabs are always in use.
COUNTED_CAPTURES = 30
RESULTS = Path(__file__).parent / "results" / "tabs.json"

Render = Callable[[], None]


def main() -> None:
    """Print progress on stderr and the figures as one JSON line on stdout; write them to benchmarks/results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2, help="rounds of every fixed number")
    parser.add_argument("--latency", type=int, action="append", help="milliseconds per response; may be repeated")
    parser.add_argument(
        "--page", choices=list(pages.CLASSES), action="append", help="page class; the results are then not stored"
    )
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    limit_arenas()
    names = arguments.page or list(pages.CLASSES)
    latencies = arguments.latency or LATENCIES_MS
    figures = {str(latency): _measure_latency(latency, names, arguments.rounds) for latency in latencies}
    shares = [each["toBest"] for of_latency in figures.values() for each in of_latency.values()]
    result = {
        "machine": describe_machine(),
        "rounds": arguments.rounds,
        "capturesToFind": CAPTURES_TO_FIND,
        "lowestToBest": min(shares),
        "medianToBest": statistics.median(shares),
        "latencies": figures,
    }
    if not arguments.page:
        RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))


def _measure_latency(latency: int, names: list[str], rounds: int) -> dict[str, Any]:
    numbers = itertools.count()
    with pages.serving(latency) as site:
        engine = RenderEngine(functools.partial(Chromium.launch, find_chromium()), EgressGuard(EgressPolicy.of([site])))
        try:
            return {
                name: _measure_class(f"{latency} ms, {name}", engine, _renderer(engine, site, name, numbers), rounds)
                for name in names
            }
        finally:
            engine.close()


def _renderer(engine: RenderEngine, site: str, name: str, numbers: Iterator[int]) -> Render:
    """A function that captures a page of the class. No URL occurs twice."""
    clock = SystemClock()
    options = OPTIONS[is_full_page(f"/{name}")]

    def render() -> None:
        url = f"http://{site}/{name}?{next(numbers)}"
        engine.render(url, options, Deadline(clock.now_ms() + 60_000, clock))

    return render


def _measure_class(title: str, engine: RenderEngine, render: Render, rounds: int) -> dict[str, Any]:
    _speed(render, FLOOR)  # fills the caches
    speeds: dict[int, list[float]] = {tabs: [] for tabs in FIXED}
    found: list[int] = []
    for number in range(max(rounds, SEARCHES)):
        if number < SEARCHES:
            found.append(_search(engine, render))
        if number < rounds:
            # The number that goes first changes, so that a machine that slows down favours none.
            for tabs in (*FIXED[number % len(FIXED) :], *FIXED[: number % len(FIXED)]):
                speeds[tabs].append(_speed(render, tabs))
    curve = {tabs: statistics.fmean(each) for tabs, each in speeds.items()}
    best = max(curve, key=lambda tabs: curve[tabs])
    to_best = statistics.fmean(_interpolated(curve, tabs) for tabs in found) / curve[best]
    per_second = ", ".join(f"{tabs}: {speed:.2f}" for tabs, speed in curve.items())
    print(f"tabs: {title}: found {found}, {to_best:.3f} of the best; per second {per_second}", file=sys.stderr)
    return {
        "bestFixed": best,
        "found": found,
        "toBest": round(to_best, 3),
        "capturesPerSecond": {str(tabs): round(speed, 2) for tabs, speed in curve.items()},
    }


def _search(engine: RenderEngine, render: Render) -> int:
    """The number of tabs that a worker has after thirty captures, if it begins with the default."""
    cpus = available_cpus(None)
    tabs = TabGate(
        FLOOR, CEILING, math.ceil(cpus) * TABS_PER_CPU, CpuShare(engine.cpu_seconds, cpus), engine.memory_share
    )
    found: list[int] = []

    def capture(_: int) -> None:
        with tabs.acquire():
            render()
        found.append(tabs.width)

    # A capture is always waiting for a tab, as if the queue were never empty.
    with ThreadPoolExecutor(CEILING * 2) as pool:
        list(pool.map(capture, range(CAPTURES_TO_FIND + CEILING * 2)))
    return found[CAPTURES_TO_FIND - 1]


def _speed(render: Render, tabs: int) -> float:
    """Captures per second with this number of tabs."""
    ended: list[float] = []
    lock = threading.Lock()

    def capture(_: int) -> None:
        render()
        with lock:
            ended.append(time.monotonic())

    with ThreadPoolExecutor(tabs) as pool:
        list(pool.map(capture, range(tabs + COUNTED_CAPTURES + tabs)))
    return COUNTED_CAPTURES / (ended[tabs + COUNTED_CAPTURES - 1] - ended[tabs - 1])


def _interpolated(curve: dict[int, float], tabs: int) -> float:
    """The speed with any number of tabs, interpolated between the measured neighbours on a logarithmic scale."""
    below = max(each for each in curve if each <= tabs)
    above = min(each for each in curve if each >= tabs)
    if below == above:
        return curve[below]
    share = math.log(tabs / below) / math.log(above / below)
    return curve[below] + share * (curve[above] - curve[below])


if __name__ == "__main__":
    main()
