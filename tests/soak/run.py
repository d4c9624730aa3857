"""Hostile and good pages in one worker, for long; ends with one JSON line of what it left behind.

    python -m tests.soak.run --captures 500

Every third page is hostile, unless told otherwise. Each good one has to be right, pixel by pixel; each hostile one has
to end in time.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel

from stillframe.egress.policy import EgressPolicy
from stillframe.errors import CaptureError
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium.executable import find_chromium
from stillframe_renderer.chromium.memory import PAGE_BYTES
from stillframe_renderer.guard.server import EgressGuard
from stillframe_renderer.guard.session import Limits
from stillframe_renderer.process_setup import limit_arenas
from tests.security.hostile_pages import EVERYTHING, HostilePages
from tests.support.pixels import GREEN, Pixels
from tests.support.processes import Launches
from tests.support.rendering import render
from tests.support.served import serving_apart

TABS = 4
HOSTILE_PERCENT = 33
DEADLINE_SECONDS = 8.0
PAGE_TIMEOUT_MS = 4000
MEGABYTE = 1 << 20
MEASURED_AT = 100
# A look at the memory each so many captures. What is under way at that moment moves it by 5 MB and more, so that the
# median of some looks is compared: those from the hundredth capture on, and the last ones.
LOOK_EVERY = 50
LOOKS = 8


@dataclass
class Figures:
    """What a soak came to. Memory is the worker's own, resident and not shared, in MB; 0 in one that is too short."""

    captures: int = 0
    hostile: int = 0
    wrong: int = 0
    late: int = 0
    slowest_seconds: float = 0.0
    browsers: int = 0
    zombies: int = 0
    processes_left: int = 0
    files_left: int = 0
    open_files_at_100: int = 0
    open_files_at_end: int = 0
    memory_at_100: float = 0.0
    memory_at_end: float = 0.0
    seconds: float = 0.0
    outcomes: dict[str, int] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        return {to_camel(name): value for name, value in asdict(self).items()}


class Soak:
    """One worker, several tabs, and a count of everything."""

    def __init__(self, executable: str, site: str, captures: int, seed: int, hostile_percent: int) -> None:
        self._site = site
        self._captures = captures
        self._hostile_percent = hostile_percent
        self._random = random.Random(seed)
        self._launches = Launches(executable)
        guard = EgressGuard(EgressPolicy.of([site]), limits=Limits(page_bytes=64 * MEGABYTE))
        self._engine = RenderEngine(self._launches, guard, max_browser_mb=1500)
        self._outcomes: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._looks: list[float] = []
        self.figures = Figures()

    def run(self) -> Figures:
        """Capture all of them, then look at what is left."""
        started = time.monotonic()
        pages = [
            self._random.choice(EVERYTHING) if self._random.random() * 100 < self._hostile_percent else "good"
            for _ in range(self._captures)
        ]
        try:
            with ThreadPoolExecutor(TABS) as pool:
                list(pool.map(self._capture, pages[:MEASURED_AT]))
                self.figures.open_files_at_100 = open_files()
                list(pool.map(self._capture, pages[MEASURED_AT:]))
                self.figures.open_files_at_end = open_files()
        finally:
            self._engine.close()
        if self._captures >= MEASURED_AT + LOOKS * LOOK_EVERY:
            first = MEASURED_AT // LOOK_EVERY - 1
            self.figures.memory_at_100 = statistics.median(self._looks[first : first + LOOKS])
            self.figures.memory_at_end = statistics.median(self._looks[-LOOKS:])
        self.figures.browsers = len(self._launches.browsers)
        self.figures.processes_left = len(self._launches.alive)
        self.figures.zombies = zombies()
        self.figures.files_left = sum(1 for path in Path(tempfile.gettempdir()).iterdir())
        self.figures.seconds = round(time.monotonic() - started, 1)
        self.figures.outcomes = dict(self._outcomes.most_common())
        return self.figures

    def _capture(self, name: str) -> None:
        started = time.monotonic()
        is_right = True
        try:
            url = f"http://{self._site}/{name}"
            shot = render(self._engine, url, DEADLINE_SECONDS, fullPage=True, timeoutMs=PAGE_TIMEOUT_MS)
            outcome = "captured"
            is_right = name != "good" or Pixels(shot.data).is_all(GREEN)
        except CaptureError as error:
            # A good page whose browser was ended on account of its neighbour is tried again, as the queue would.
            outcome = error.code
            if name == "good":
                time.sleep(0.2)
                return self._capture(name)
        seconds = time.monotonic() - started
        with self._lock:
            self._outcomes[f"{'good' if name == 'good' else 'hostile'}:{outcome}"] += 1
            self.figures.captures += 1
            self.figures.hostile += name != "good"
            self.figures.wrong += not is_right
            self.figures.late += seconds > DEADLINE_SECONDS + 1
            self.figures.slowest_seconds = round(max(self.figures.slowest_seconds, seconds), 2)
            if self.figures.captures % LOOK_EVERY == 0:
                self._looks.append(memory_mb())
                print(f"soak: {self.figures.captures} of {self._captures}, {self._looks[-1]} MB", file=sys.stderr)
        return None


def memory_mb() -> float:
    """Resident memory of this process that is its own."""
    gc.collect()
    _, resident, shared = Path("/proc/self/statm").read_text().split()[:3]
    return round((int(resident) - int(shared)) * PAGE_BYTES / MEGABYTE, 1)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def zombies() -> int:
    """Children of this process that ended and were not collected."""
    count = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue
        count += state == "Z" and int(parent) == os.getpid()
    return count


def soak(captures: int, seed: int, executable: str, hostile_percent: int = HOSTILE_PERCENT) -> Figures:
    """Run in a temporary directory of its own, so that what is left in it was left by the worker."""
    with tempfile.TemporaryDirectory() as folder, serving_apart(HostilePages) as site:
        before, tempfile.tempdir = tempfile.tempdir, folder
        try:
            return Soak(executable, site, captures, seed, hostile_percent).run()
        finally:
            tempfile.tempdir = before


def main() -> int:
    """Progress on stderr, the figures on stdout; exit status 1 when something was wrong, late or left behind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captures", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hostile", type=int, default=HOSTILE_PERCENT, help="percent of the pages")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    # As a worker starts.
    limit_arenas()
    executable = find_chromium(os.environ.get("STILLFRAME_CHROMIUM", ""))
    figures = soak(given.captures, given.seed, executable, given.hostile)
    print(json.dumps(figures.to_wire()))
    left = figures.zombies + figures.files_left + figures.processes_left
    return 1 if figures.wrong + figures.late + left else 0


if __name__ == "__main__":
    sys.exit(main())
