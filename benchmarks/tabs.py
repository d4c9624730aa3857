"""Whether the number of tabs that a worker finds by itself is near the best fixed one, for each page class and latency.

python -m benchmarks.tabs --rounds 2
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path

from lambda_src.renderer.browser.executable import find_chromium

from . import pages
from .harness import contenders, run
from .machine import described

LATENCIES_MS = (0, 50, 300)
FIXED = (2, 4, 6, 8, 12, 16)
BY_MEASUREMENT = 0
# It has so many captures to find the number; then so many are counted.
TO_FIND = 30
COUNTED = 30
AFTER = max(FIXED)
RESULTS = Path(__file__).parent / "results" / "tabs.json"


def main() -> None:
    """Progress on stderr, the figures as one JSON line on stdout and in benchmarks/results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--latency", type=int, action="append", help="milliseconds a response; may be repeated")
    given = parser.parse_args()
    figures = {
        str(latency): {name: _measure(name, latency, given.rounds) for name in pages.CLASSES}
        for latency in given.latency or LATENCIES_MS
    }
    shares = [each["toBest"] for of_latency in figures.values() for each in of_latency.values()]
    result = {
        "machine": described(),
        "rounds": given.rounds,
        "capturesToFind": TO_FIND,
        "lowestToBest": min(shares),
        "medianToBest": statistics.median(shares),
        "latencies": figures,
    }
    RESULTS.write_text(json.dumps(result, indent=1))
    print(json.dumps(result))


def _measure(name: str, latency: int, rounds: int) -> dict[str, float]:
    """Captures a second of every fixed number and of the measured one, in turn, medians over the rounds."""
    renderer = contenders(Path(".venv-peers"))["renderer"]
    speeds: dict[int, list[float]] = {tabs: [] for tabs in (*FIXED, BY_MEASUREMENT)}
    with pages.serving(latency) as site:
        for number in range(rounds):
            order = list(speeds)
            for tabs in (*order[number % len(order) :], *order[: number % len(order)]):
                # Every number has the same captures before those that count.
                count = TO_FIND + COUNTED + AFTER
                urls = [f"http://{site}/{name}?{number}-{tabs}-{each}" for each in range(count)]
                taken = run(renderer, find_chromium(), urls, tabs, warm=TO_FIND, after=AFTER)
                speeds[tabs].append(taken.captures_a_second)
                told = "measured" if tabs == BY_MEASUREMENT else f"{tabs} tabs"
                print(f"tabs: {latency} ms, {name}, {told}: {speeds[tabs][-1]:.2f} a second", file=sys.stderr)
    medians = {tabs: statistics.median(each) for tabs, each in speeds.items()}
    best = max(FIXED, key=lambda tabs: medians[tabs])
    return {
        "bestFixed": best,
        "best": round(medians[best], 2),
        "measured": round(medians[BY_MEASUREMENT], 2),
        "toBest": round(medians[BY_MEASUREMENT] / medians[best], 3),
    }


if __name__ == "__main__":
    main()
