"""The CPU time of four images of one load, beside that of one image and of four loads, on the benchmarks' pages.

python -m benchmarks.shots --rounds 5
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium.executable import find_chromium
from tests.support.rendering import local_engine, render

from . import pages
from .machine import describe_machine

GOAL = 1.6
# Contexts are closed, and the next tab is opened, in the background: the CPU time of that belongs to the round.
REST_SECONDS = 0.4
CAPTURES = 4
# The windows of a phone, a tablet and a large screen, and a part of the page.
SHOTS: list[dict[str, Any]] = [
    {"name": "phone", "viewport": {"width": 390, "height": 844}},
    {"name": "tablet", "viewport": {"width": 768, "height": 1024}},
    {"name": "part", "clip": {"x": 0, "y": 0, "width": 600, "height": 400}},
]
WIDE = {"name": "wide", "viewport": {"width": 1440, "height": 900}}
# By variant, the options of each of its captures. `four` is the image and three shots, `five` has four shots.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "one": [{}],
    "four": [{"shots": SHOTS}],
    "five": [{"shots": [*SHOTS, WIDE]}],
    "fourLoads": [{}, *({key: value for key, value in shot.items() if key != "name"} for shot in SHOTS)],
}


def main() -> None:
    """Print progress on stderr, and the figures as one JSON line on stdout: CPU milliseconds, medians of the rounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--page", action="append", choices=list(pages.CLASSES), help="may be repeated")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    with pages.serving(0) as site, local_engine(find_chromium(), site) as engine:
        names = arguments.page or list(pages.CLASSES)
        measured = {name: _measure(engine, f"http://{site}/{name}", arguments.rounds) for name in names}
    total = {variant: sum(each[variant] for each in measured.values()) for variant in VARIANTS}
    ratios = {variant: round(total[variant] / total["one"], 3) for variant in VARIANTS if variant != "one"}
    figures = {"machine": describe_machine(), "rounds": arguments.rounds, "cpuMs": measured, "ratios": ratios}
    print(json.dumps({**figures, "goal": GOAL, "isMet": ratios["four"] <= GOAL}))


def _measure(engine: RenderEngine, url: str, rounds: int) -> dict[str, float]:
    """The CPU milliseconds of each variant. In every round, another variant goes first."""
    names, spent = list(VARIANTS), defaultdict(list)
    _cpu_ms(engine, url, VARIANTS["four"])
    for number in range(rounds):
        for name in (*names[number % len(names) :], *names[: number % len(names)]):
            spent[name].append(_cpu_ms(engine, url, VARIANTS[name]))
    medians = {name: round(statistics.median(spent[name]), 1) for name in names}
    ratio = medians["four"] / medians["one"]
    print(f"shots: {url.rpartition('/')[2]}: {medians}, four to one: {ratio:.2f}", file=sys.stderr)
    return medians


def _cpu_ms(engine: RenderEngine, url: str, captures: Sequence[dict[str, Any]]) -> float:
    """The CPU time of worker and browser for one run of these captures, as a mean of several."""
    time.sleep(REST_SECONDS)
    before = engine.cpu_seconds()
    for _ in range(CAPTURES):
        for options in captures:
            render(engine, url, 60, **options)
    time.sleep(REST_SECONDS)
    return (engine.cpu_seconds() - before) * 1000 / CAPTURES


if __name__ == "__main__":
    main()
