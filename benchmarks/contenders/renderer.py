"""Stillframe's renderer alone: guard, evidence and all, but no queue, table or bucket."""

from __future__ import annotations

import functools
import logging
import math
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from benchmarks.contenders.job import Job, done, is_full_page
from lambda_src.renderer.browser.chromium import Chromium
from lambda_src.renderer.browser.process import use_few_arenas
from lambda_src.renderer.engine import RenderEngine
from lambda_src.renderer.guard.server import EgressGuard
from lambda_src.renderer.machine import CpuShare, available_cpus
from lambda_src.renderer.runtime import TABS_PER_CPU
from lambda_src.renderer.tabs import Tabs
from stillframe.clock import Deadline, SystemClock
from stillframe.egress import EgressPolicy
from stillframe.options import RenderOptions

MOST_TABS = 16
OPTIONS = {
    is_full: RenderOptions.parse({"waitUntil": "load", **({"fullPage": True} if is_full else {})})
    for is_full in (False, True)
}


def take(kind: type[EgressGuard]) -> None:
    """Take the pictures of the job with a guard of that kind."""
    logging.disable(logging.CRITICAL)
    job = Job.read()
    use_few_arenas()
    clock = SystemClock()
    guard = kind(EgressPolicy.of([urlsplit(job.urls[0]).netloc]))
    engine = RenderEngine(functools.partial(Chromium.launch, job.chromium), guard)

    def capture(url: str) -> None:
        started = time.monotonic()
        shot = engine.render(url, OPTIONS[is_full_page(url)], Deadline(clock.now_ms() + 60_000, clock))
        done(url, started, len(shot.data))

    tabs = _tabs(job.tabs, engine)

    def capture_in_turn(url: str) -> None:
        with tabs.one():
            capture(url)

    # More than there are tabs, so that there is always one that waits.
    with ThreadPoolExecutor(tabs.ceiling + 1) as pool:
        list(pool.map(capture_in_turn, job.urls))
    engine.close()


def _tabs(number: int, engine: RenderEngine) -> Tabs:
    """A fixed number, or 0: by measurement, as in a worker."""
    cpus = available_cpus()
    floor, ceiling = (number, number) if number else (2, MOST_TABS)
    return Tabs(floor, ceiling, math.ceil(cpus) * TABS_PER_CPU, CpuShare(engine.cpu_seconds, cpus), engine.memory_share)


if __name__ == "__main__":
    take(EgressGuard)
