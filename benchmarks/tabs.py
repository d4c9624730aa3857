"""Whether the number of tabs that a worker finds by itself is near the best fixed one, for each page class and latency.

python -m benchmarks.tabs --rounds 2

The controller begins anew and has thirty captures; what it has found then is judged by the speeds of the fixed numbers,
each measured several times in turn, in the same browser. So the noise of a measurement is not taken for a bad choice.
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
from .machine import described

LATENCIES_MS = (0, 50, 300)
FLOOR, CEILING = 2, 16
FIXED = (2, 4, 6, 8, 12, 16)
# The controller has so many captures to find the number.
TO_FIND = 30
SEARCHES = 3
# Of a fixed number; as many as there are tabs come before and after, so that all are in use the whole time.
COUNTED = 30
RESULTS = Path(__file__).parent / "results" / "tabs.json"

Render = Callable[[], None]


def main() -> None:
    """Progress on stderr, the figures as one JSON line on stdout and in benchmarks/results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2, help="of every fixed number")
    parser.add_argument("--latency", type=int, action="append", help="milliseconds a response; may be repeated")
    parser.add_argument("--page", choices=list(pages.CLASSES), action="append", help="a class; then nothing is kept")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    limit_arenas()
    names = given.page or list(pages.CLASSES)
    figures = {str(latency): _of_latency(latency, names, given.rounds) for latency in given.latency or LATENCIES_MS}
    shares = [each["toBest"] for of_latency in figures.values() for each in of_latency.values()]
    result = {
        "machine": described(),
        "rounds": given.rounds,
        "capturesToFind": TO_FIND,
        "lowestToBest": min(shares),
        "medianToBest": statistics.median(shares),
        "latencies": figures,
    }
    if not given.page:
        RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))


def _of_latency(latency: int, names: list[str], rounds: int) -> dict[str, Any]:
    numbers = itertools.count()
    with pages.serving(latency) as site:
        engine = RenderEngine(functools.partial(Chromium.launch, find_chromium()), EgressGuard(EgressPolicy.of([site])))
        try:
            return {
                name: _of_class(f"{latency} ms, {name}", engine, _renderer(engine, site, name, numbers), rounds)
                for name in names
            }
        finally:
            engine.close()


def _renderer(engine: RenderEngine, site: str, name: str, numbers: Iterator[int]) -> Render:
    """Captures a page of the class; no url comes twice."""
    clock = SystemClock()
    options = OPTIONS[is_full_page(f"/{name}")]

    def render() -> None:
        url = f"http://{site}/{name}?{next(numbers)}"
        engine.render(url, options, Deadline(clock.now_ms() + 60_000, clock))

    return render


def _of_class(title: str, engine: RenderEngine, render: Render, rounds: int) -> dict[str, Any]:
    _speed(render, FLOOR)  # caches fill
    speeds: dict[int, list[float]] = {tabs: [] for tabs in FIXED}
    found: list[int] = []
    for number in range(max(rounds, SEARCHES)):
        if number < SEARCHES:
            found.append(_search(engine, render))
        if number < rounds:
            # Whoever goes first changes: a machine that slows down must favour nobody.
            for tabs in (*FIXED[number % len(FIXED) :], *FIXED[: number % len(FIXED)]):
                speeds[tabs].append(_speed(render, tabs))
    curve = {tabs: statistics.fmean(each) for tabs, each in speeds.items()}
    best = max(curve, key=lambda tabs: curve[tabs])
    to_best = statistics.fmean(_at(curve, tabs) for tabs in found) / curve[best]
    told = ", ".join(f"{tabs}: {speed:.2f}" for tabs, speed in curve.items())
    print(f"tabs: {title}: found {found} by measurement, {to_best:.3f} of the best; {told} a second", file=sys.stderr)
    return {
        "bestFixed": best,
        "found": found,
        "toBest": round(to_best, 3),
        "capturesPerSecond": {str(tabs): round(speed, 2) for tabs, speed in curve.items()},
    }


def _search(engine: RenderEngine, render: Render) -> int:
    """How many tabs a worker has that began with what it begins with, after thirty captures."""
    cpus = available_cpus(None)
    tabs = TabGate(
        FLOOR, CEILING, math.ceil(cpus) * TABS_PER_CPU, CpuShare(engine.cpu_seconds, cpus), engine.memory_share
    )
    found: list[int] = []

    def capture(_: int) -> None:
        with tabs.acquire():
            render()
        found.append(tabs.width)

    # Something always waits for a tab: the queue is never empty.
    with ThreadPoolExecutor(CEILING * 2) as pool:
        list(pool.map(capture, range(TO_FIND + CEILING * 2)))
    return found[TO_FIND - 1]


def _speed(render: Render, tabs: int) -> float:
    """Captures a second of so many at once."""
    ended: list[float] = []
    lock = threading.Lock()

    def capture(_: int) -> None:
        render()
        with lock:
            ended.append(time.monotonic())

    with ThreadPoolExecutor(tabs) as pool:
        list(pool.map(capture, range(tabs + COUNTED + tabs)))
    return COUNTED / (ended[tabs + COUNTED - 1] - ended[tabs - 1])


def _at(curve: dict[int, float], tabs: int) -> float:
    """The speed of a number that was not measured itself: between its neighbours, by their logarithms."""
    below = max(each for each in curve if each <= tabs)
    above = min(each for each in curve if each >= tabs)
    if below == above:
        return curve[below]
    share = math.log(tabs / below) / math.log(above / below)
    return curve[below] + share * (curve[above] - curve[below])


if __name__ == "__main__":
    main()
