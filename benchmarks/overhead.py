"""The time that a warm capture takes in addition to its render, with one tab: queue, claim, put, complete, delete.

python -m benchmarks.overhead --captures 60
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import threading
import time

from stillframe.outcome import Outcome
from stillframe.producer import Producer
from stillframe.request.capture_request import CaptureRequest
from stillframe_cli.poller import Poller
from stillframe_cli.receive_loop import ReceiveLoop
from stillframe_cli.session import embedded_environment
from stillframe_renderer.process_setup import configure_process
from stillframe_renderer.runtime import Runtime

from . import pages
from .machine import describe_machine

# The first captures are not counted: connections are made, caches fill.
WARM_UP = 10


def main() -> None:
    """Print the figures, in milliseconds, as one JSON line on stdout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--captures", type=int, default=60)
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    outcomes: list[Outcome] = []
    with (
        pages.serving(0) as site,
        embedded_environment(STILLFRAME_ALLOW_HOSTS=site, STILLFRAME_TABS="1") as environment,
    ):
        settings, clients = environment.settings, environment.clients
        loop = ReceiveLoop(settings.tabs_ceiling)
        configure_process()
        runtime = Runtime.build(settings, clients, [outcomes.append, loop.observe])
        runtime.engine.warm_up()
        time.sleep(1)
        urls = pages.urls(site, arguments.captures + WARM_UP)
        list(
            Producer(clients, settings).send(CaptureRequest(url=url, request_id=f"o-{n}") for n, url in enumerate(urls))
        )
        poller = Poller(clients, settings, runtime.handler.handle)
        loop.run(poller, threading.Event(), wait_seconds=1, until_empty=True, tabs=lambda: runtime.tabs.width)
        runtime.close()
    overheads = sorted(each.duration_ms - (each.render_ms or 0) for each in outcomes[WARM_UP:])
    print(f"overhead: {len(overheads)} captures", file=sys.stderr)
    figures = {"p50Ms": statistics.median(overheads), "p95Ms": overheads[int(len(overheads) * 0.95)], "goalMs": 25}
    print(json.dumps({"machine": describe_machine(), "captures": len(overheads), **figures}))


if __name__ == "__main__":
    main()
