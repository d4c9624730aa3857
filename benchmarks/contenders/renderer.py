"""Stillframe's renderer alone: with guard and page facts, but without queue, table and bucket."""

from __future__ import annotations

import functools
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from benchmarks.contenders.job import Job, is_full_page, report_capture
from stillframe.clock import Deadline, SystemClock
from stillframe.egress.policy import EgressPolicy
from stillframe.request.options import RenderOptions
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium.browser import Chromium
from stillframe_renderer.guard.server import EgressGuard
from stillframe_renderer.process_setup import collect_less_garbage, limit_arenas

OPTIONS = {
    is_full: RenderOptions.parse({"waitUntil": "load", **({"fullPage": True} if is_full else {})})
    for is_full in (False, True)
}


def run_job(guard_class: type[EgressGuard]) -> None:
    """Run the job with a guard of this class."""
    logging.disable(logging.CRITICAL)
    job = Job.read()
    limit_arenas()
    clock = SystemClock()
    guard = guard_class(EgressPolicy.of([urlsplit(job.urls[0]).netloc]))
    engine = RenderEngine(functools.partial(Chromium.launch, job.chromium), guard)
    collect_less_garbage()

    def capture(url: str) -> None:
        started = time.monotonic()
        result = engine.render(url, OPTIONS[is_full_page(url)], Deadline(clock.now_ms() + 60_000, clock))
        report_capture(url, started, len(result.data))

    with ThreadPoolExecutor(job.tabs) as pool:
        list(pool.map(capture, job.urls))
    engine.close()


if __name__ == "__main__":
    run_job(EgressGuard)
