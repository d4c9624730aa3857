"""What the egress guard costs: captures a second through it, and without it, taking turns.

python -m benchmarks.guard --rounds 6
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import logging
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from cli.emulator import LOOPBACK, free_port
from cli.site_server import DEMO_PAGES, DEMO_SITE
from lambda_src.renderer.browser.chromium import Chromium
from lambda_src.renderer.browser.executable import find_chromium
from lambda_src.renderer.engine import RenderEngine
from lambda_src.renderer.guard.server import EgressGuard
from stillframe.clock import Deadline, SystemClock
from stillframe.egress import EgressPolicy
from stillframe.options import RenderOptions

from .unguarded import NoGuard

TABS = 4
WARM_UP = 8


@contextlib.contextmanager
def serving_pages() -> Iterator[str]:
    """The demo site in a process of its own, so that it takes no turn from the guard; yields host and port."""
    port = free_port(LOOPBACK)
    command = [sys.executable, "-m", "http.server", "--bind", LOOPBACK, "--protocol", "HTTP/1.1", str(port)]
    process = subprocess.Popen(command, cwd=DEMO_SITE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://{LOOPBACK}:{port}/", timeout=1).close()
                break
            time.sleep(0.05)
        yield f"{LOOPBACK}:{port}"
    finally:
        process.terminate()
        process.wait()


def captures_a_second(engine: RenderEngine, site: str, count: int) -> float:
    """Capture the demo pages in turn, several at once."""
    clock = SystemClock()
    options = RenderOptions.parse({})

    def capture(number: int) -> None:
        url = f"http://{site}/{DEMO_PAGES[number % len(DEMO_PAGES)]}"
        engine.render(url, options, Deadline(clock.now_ms() + 30_000, clock))

    started = time.monotonic()
    with ThreadPoolExecutor(TABS) as pool:
        list(pool.map(capture, range(count)))
    return count / (time.monotonic() - started)


def main() -> None:
    """Print each round on stderr and the figures on stdout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--captures", type=int, default=40, help="in each turn")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    launch = functools.partial(Chromium.launch, find_chromium())
    with serving_pages() as site:
        policy = EgressPolicy.of([site])
        guards = {"guarded": EgressGuard(policy), "direct": NoGuard(policy)}
        engines = {name: RenderEngine(launch, guard) for name, guard in guards.items()}
        speeds: dict[str, list[float]] = {name: [] for name in engines}
        try:
            for engine in engines.values():
                captures_a_second(engine, site, WARM_UP)
            for number in range(given.rounds):
                # Whoever goes first changes: a machine that slows down must not favour either.
                for name in sorted(engines, reverse=bool(number % 2)):
                    speeds[name].append(captures_a_second(engines[name], site, given.captures))
                latest = ", ".join(f"{values[-1]:.2f} {name}" for name, values in speeds.items())
                print(f"guard: round {number + 1} of {given.rounds}: {latest}", file=sys.stderr)
        finally:
            for engine in engines.values():
                engine.close()
    medians = {name: round(statistics.median(values), 2) for name, values in speeds.items()}
    print(json.dumps({**medians, "ratio": round(medians["guarded"] / medians["direct"], 3)}))


if __name__ == "__main__":
    main()
