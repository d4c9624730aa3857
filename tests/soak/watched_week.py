"""A week of watched pages in fast time: the embedded environment and Chromium are real, only the clock is not.

    python -m tests.soak.watched_week --hours 168 --out history

Three pages are captured hourly: one whose clock is ignored, one whose price changes once, and one on top of which a
block is inserted once. Prints one JSON line with the captures and what was reported. `--out` keeps the history as
pages with a slider through time.
"""

from __future__ import annotations

import argparse
import contextlib
import http.server
import json
import logging
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stillframe.archive import Archive
from stillframe.intake import Intake
from stillframe.table.record import Record, Status
from stillframe.watches.declared import Declared
from stillframe.watches.history import History
from stillframe.watches.store import WatchStore
from stillframe_cli.emulator import SERVICES, running_emulator
from stillframe_cli.local.folder import OutputFolder
from stillframe_cli.poller import Poller
from stillframe_cli.provision import QueuePolicy
from stillframe_cli.watching.scheduler import Scheduler
from stillframe_cli.watching.timeline import Line, Timeline
from stillframe_renderer.chromium.executable import find_chromium
from stillframe_renderer.message.batch import BatchHandler
from stillframe_renderer.message.wiring import wire_capture
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, fake_meter, fixed_tabs
from tests.support.rendering import local_engine

HOUR_MS = 3_600_000
STYLE = "<style>body{font:20px sans-serif;margin:20px}section{height:120px;background:#eef}</style>"
NOTICE = '<section id="notice">We are closed on Monday.</section>'
OPTIONS = {"viewport": {"width": 500, "height": 600}, "save": ["text"], "comparison": {"ignore": ["#clock"]}}


@dataclass(frozen=True)
class Week:
    """What became of each page: its captures, oldest first, and those of them that report a change."""

    records: dict[str, list[Record]]

    def reports(self, page: str) -> list[Record]:
        return [record for record in self.records[page] if record.changed]

    def to_wire(self) -> dict[str, Any]:
        captures = sum(map(len, self.records.values()))
        return {"captures": captures, "reports": {page: len(self.reports(page)) for page in self.records}}


class Pages:
    """Three pages that differ from hour to hour as their names say."""

    def __init__(self, hours: int) -> None:
        self.hour = 0
        self._changes_at = hours // 2

    def body(self, page: str) -> str:
        is_later = self.hour >= self._changes_at
        price, notice = ("€ 49" if is_later else "€ 45"), (NOTICE if is_later else "")
        parts = {
            "clock": f'<h1>Station</h1><p id="clock">{self.hour:06d}</p><p>Trains leave every hour.</p>',
            "price": f'<h1>Shoes</h1><p>Brown, leather.</p><p>Price: <b id="price">{price}</b></p>',
            "notice": f"{notice}<h1>Shop</h1><p>Shoes, hats and coats.</p><p>Open until six.</p>",
        }
        return f"<!doctype html><meta charset=utf-8>{STYLE}{parts[page]}"


@contextlib.contextmanager
def serving(pages: Pages) -> Iterator[str]:
    """Serve the pages on a free port of loopback; yields the URL that their names are added to."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.body(self.path.strip("/")).encode() if self.path != "/favicon.ico" else b""
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # name given by the base class
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def watch_pages(cloud: Cloud, chromium: str, hours: int, out: Path | None = None) -> Week:
    """Let the hours pass, one after the other."""
    clock, pages = FakeClock(), Pages(hours)
    store = WatchStore(cloud.clients, cloud.settings, clock)
    scheduler = Scheduler(store, Intake(cloud.clients, cloud.settings, clock), clock)
    with serving(pages) as url, local_engine(chromium, urlsplit(url).netloc) as engine:
        urls = {name: url + name for name in ("clock", "price", "notice")}
        values = {"urls": list(urls.values()), "every": "1h", "compare": True, "options": OPTIONS}
        watch, begun_ms = store.declare(Declared.of("week", values)), clock.ms
        capture = wire_capture(cloud.settings, cloud.clients, engine, clock, fake_meter(clock))
        poller = Poller(cloud.clients, cloud.settings, BatchHandler(capture, [], fixed_tabs(3), clock).handle)
        for pages.hour in range(hours):
            clock.ms += HOUR_MS
            scheduler.tick()
            while poller.poll(0):
                pass
            if pages.hour % 24 == 23:
                print(f"week: {pages.hour + 1} of {hours} hours", file=sys.stderr)
        history = History(Archive(cloud.clients, cloud.settings))
        lines = {name: list(history.of(watch, urls[name], begun_ms, clock.ms)) for name in urls}
    if out is not None:
        with OutputFolder.open(out) as folder:
            Timeline(Archive(cloud.clients, cloud.settings), folder).write(
                watch.name, [Line(urls[name], periods) for name, periods in lines.items()]
            )
    return Week({name: [_captured(each.record) for each in reversed(periods)] for name, periods in lines.items()})


def _captured(record: Record | None) -> Record:
    assert record is not None, "a period was not captured"
    assert record.status is Status.SUCCESS, f"{record.id}: {record.error_code}: {record.error_message}"
    return record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=168)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    started = time.monotonic()
    with running_emulator(services=SERVICES) as emulator:
        cloud = Cloud.create(emulator, QueuePolicy())
        week = watch_pages(cloud, find_chromium(""), options.hours, options.out)
    print(json.dumps({"hours": options.hours, **week.to_wire(), "seconds": round(time.monotonic() - started, 1)}))


if __name__ == "__main__":
    main()
