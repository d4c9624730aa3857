"""The time of an ordinary page alone, and beside pages that try to take from it what both need.

python -m benchmarks.neighbours --runs 5
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import logging
import os
import socket
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiodns
from dnslib import QTYPE, RR, A, DNSRecord

from stillframe.clock import Deadline, SystemClock
from stillframe.egress.addresses import Address
from stillframe.egress.policy import EgressPolicy
from stillframe.errors import CaptureError
from stillframe.request.options import RenderOptions
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium.browser import Chromium
from stillframe_renderer.chromium.executable import find_chromium
from stillframe_renderer.guard.resolver import TRIES, TRY_SECONDS, SystemResolver
from stillframe_renderer.guard.server import EgressGuard

from .machine import describe_machine
from .pages import text

GOAL = 2.0
HEADSTART_SECONDS = 1.0
BROWSER_MB = 900
HOSTILE_SECONDS = 12
HOSTILE_OPTIONS = {"waitUntil": "load", "delayMs": 8000, "timeoutMs": 10000}
HOSTILE = {
    "names": "for (let i = 0; i < 40; i++) fetch('http://silent' + i + '.test/').catch(() => 0)",
    "blobs": "const kept = []; for (let i = 0; i < 100; i++) kept.push(new Blob([new Uint8Array(16 << 20).fill(i)]))",
    "files": """(async () => {
        const folder = await navigator.storage.getDirectory()
        for (let i = 0; i < 100; i++) {
            const file = await folder.getFileHandle('file' + i, { create: true })
            const stream = await file.createWritable()
            await stream.write(new Uint8Array(16 << 20).fill(i))
            await stream.close()
        }
    })()""",
    "console": """
        const text = 'x'.repeat(1 << 20)
        setInterval(() => { for (let i = 0; i < 20; i++) console.error(text) }, 10)""",
    "data-urls": """
        const url = 'data:image/png;base64,' + 'A'.repeat(4 << 20)
        setInterval(() => { new Image().src = url }, 10)""",
}


def main() -> None:
    """Print the figures as one JSON line on stdout: medians and worst cases in milliseconds, and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="runs of each page")
    runs = parser.parse_args().runs
    logging.disable(logging.CRITICAL)
    with _site() as port, _name_server() as names, _engine(port, names) as engine, ThreadPoolExecutor(1) as beside:
        good = f"http://good.test:{port}/good"
        _milliseconds(engine, good)
        alone = statistics.median(_milliseconds(engine, good) for _ in range(runs))
        figures = {}
        for name in HOSTILE:
            times = []
            for run in range(runs):
                hostile = beside.submit(_outcome, engine, f"http://127.0.0.1:{port}/{name}")
                time.sleep(HEADSTART_SECONDS)
                while not hostile.done():
                    times.append(_milliseconds(engine, good))
                print(f"beside {name}: run {run + 1} of {runs}, {hostile.result()}", file=sys.stderr)
            median = statistics.median(times)
            figures[name] = {"medianMs": median, "worstMs": max(times), "captures": len(times), "ratio": median / alone}
    print(json.dumps({"machine": describe_machine(), "aloneMs": alone, "goal": GOAL, "beside": figures}))


@contextlib.contextmanager
def _engine(port: int, name_server_port: int) -> Iterator[RenderEngine]:
    class Resolver(SystemResolver):
        async def resolve(self, host: str) -> tuple[Address, ...]:
            if self._channel is None:
                self._channel = aiodns.DNSResolver(
                    nameservers=[f"127.0.0.1:{name_server_port}"], timeout=TRY_SECONDS, tries=TRIES, lookups="b"
                )
            return await super().resolve(host)

    policy = EgressPolicy.of([f"good.test:{port}", f"127.0.0.1:{port}"])
    guard = EgressGuard(policy, Resolver())
    launch = functools.partial(Chromium.launch, find_chromium(os.environ.get("STILLFRAME_CHROMIUM", "")))
    engine = RenderEngine(launch, guard, max_browser_mb=BROWSER_MB)
    try:
        yield engine
    finally:
        engine.close()


def _milliseconds(engine: RenderEngine, url: str) -> float:
    """The time that a capture takes. Raises a CaptureError: then the neighbour was harmed."""
    started = time.monotonic()
    engine.render(url, RenderOptions.parse({}), _deadline())
    return round((time.monotonic() - started) * 1000, 1)


def _outcome(engine: RenderEngine, url: str) -> str:
    try:
        engine.render(url, RenderOptions.parse(HOSTILE_OPTIONS), _deadline())
    except CaptureError as error:
        return error.code
    return "captured"


def _deadline() -> Deadline:
    clock = SystemClock()
    return Deadline(clock.now_ms() + HOSTILE_SECONDS * 1000, clock)


@contextlib.contextmanager
def _name_server() -> Iterator[int]:
    """A name server that answers for good.test, and never for another name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    query, sender = server.recvfrom(4096)
                    record = DNSRecord.parse(query)
                    if str(record.q.qname) == "good.test.":
                        reply = record.reply()
                        if record.q.qtype == QTYPE.A:
                            reply.add_answer(RR("good.test", QTYPE.A, rdata=A("127.0.0.1")))
                        server.sendto(reply.pack(), sender)

        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1]


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = self.path.strip("/")
        body = f"<!doctype html><script>{HOSTILE[name]}</script>" if name in HOSTILE else text()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        pass


@contextlib.contextmanager
def _site() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


if __name__ == "__main__":
    main()
