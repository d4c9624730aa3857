"""Capture hostile and good pages in one worker for a long time; prints one JSON line with what is left behind.

    python -m tests.soak.run --captures 500

By default a third of the pages are hostile. Each good one must be right, pixel by pixel; each hostile one must end in
time.
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
from collections.abc import Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel

from stillframe.egress.policy import EgressPolicy
from stillframe.errors import CaptureError
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium.executable import find_chromium
from stillframe_renderer.guard.server import EgressGuard
from stillframe_renderer.guard.session import Limits
from stillframe_renderer.load.machine import own_memory_bytes
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
# Memory is sampled every 50 captures. Captures in progress change a sample by 5 MB and more, so that medians are
# compared: that of the first samples from the hundredth capture on, and that of the last samples.
SAMPLE_EVERY = 50
SAMPLES = 8


@dataclass
class Figures:
    """The result of a soak. Memory is what the worker has resident and unshared, in MB; 0 if the run is too short."""

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
    """One worker with several tabs, and counts of everything that happens."""

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
        self._samples: list[float] = []
        self.figures = Figures()

    def run(self) -> Figures:
        """Capture all pages, then measure what is left."""
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
        if self._captures >= MEASURED_AT + SAMPLES * SAMPLE_EVERY:
            first = MEASURED_AT // SAMPLE_EVERY - 1
            self.figures.memory_at_100 = statistics.median(self._samples[first : first + SAMPLES])
            self.figures.memory_at_end = statistics.median(self._samples[-SAMPLES:])
        self.figures.browsers = len(self._launches.browsers)
        self.figures.processes_left = len(self._launches.alive)
        self.figures.zombies = zombies({each.pid for each in self._launches.browsers})
        self.figures.files_left = sum(1 for path in Path(tempfile.gettempdir()).iterdir())
        self.figures.seconds = round(time.monotonic() - started, 1)
        self.figures.outcomes = dict(self._outcomes.most_common())
        return self.figures

    def _capture(self, name: str) -> None:
        started = time.monotonic()
        is_right = True
        try:
            url = f"http://{self._site}/{name}"
            result = render(self._engine, url, DEADLINE_SECONDS, fullPage=True, timeoutMs=PAGE_TIMEOUT_MS)
            outcome = "captured"
            is_right = name != "good" or Pixels(result.data).is_all(GREEN)
        except CaptureError as error:
            # A good page whose browser was ended because of another page is retried, as the queue would do.
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
            if self.figures.captures % SAMPLE_EVERY == 0:
                self._samples.append(memory_mb())
                print(f"soak: {self.figures.captures} of {self._captures}, {self._samples[-1]} MB", file=sys.stderr)
        return None


def memory_mb() -> float:
    """The resident memory of this process that is not shared, in MB."""
    gc.collect()
    return round(own_memory_bytes() / MEGABYTE, 1)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def zombies(groups: Set[int]) -> int:
    """The number of processes of these groups that have ended and that their parent, this process, did not wait for."""
    count = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, group = stat.read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        count += state == "Z" and int(parent) == os.getpid() and int(group) in groups
    return count


def soak(captures: int, seed: int, executable: str, hostile_percent: int = HOSTILE_PERCENT) -> Figures:
    """Run in a separate temporary directory, so that every file left in it is the worker's."""
    with tempfile.TemporaryDirectory() as folder, serving_apart(HostilePages) as site:
        before, tempfile.tempdir = tempfile.tempdir, folder
        try:
            return Soak(executable, site, captures, seed, hostile_percent).run()
        finally:
            tempfile.tempdir = before


def main() -> int:
    """Print progress on stderr and the figures on stdout; exit with 1 if anything was wrong, late or left behind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captures", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hostile", type=int, default=HOSTILE_PERCENT, help="share of hostile pages, in percent")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    # As a worker does when it starts.
    limit_arenas()
    executable = find_chromium(os.environ.get("STILLFRAME_CHROMIUM", ""))
    figures = soak(options.captures, options.seed, executable, options.hostile)
    print(json.dumps(figures.to_wire()))
    left = figures.zombies + figures.files_left + figures.processes_left
    return 1 if figures.wrong + figures.late + left else 0


if __name__ == "__main__":
    sys.exit(main())
