"""The whole of Stillframe on the embedded services: queue, claim, render, store, complete, delete."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from benchmarks.contenders.job import Job, is_full_page, report_capture
from stillframe.clients import Clients
from stillframe.image.store import ImageStore
from stillframe.outcome import Outcome, OutcomeKind
from stillframe.producer import Producer
from stillframe.request.capture_request import CaptureRequest
from stillframe.settings import Settings
from stillframe_cli.poller import Poller
from stillframe_cli.receive_loop import ReceiveLoop
from stillframe_renderer.process_setup import configure_process
from stillframe_renderer.runtime import Runtime

# Once a page has loaded, or by default.
WAIT: dict[bool, dict[str, Any]] = {True: {"waitUntil": "load"}, False: {}}


def main() -> None:
    """Run the job. The environment variables name the services."""
    logging.disable(logging.CRITICAL)
    job = Job.read()
    overrides = {
        "STILLFRAME_TABS": str(job.tabs),
        "STILLFRAME_ALLOW_HOSTS": urlsplit(job.urls[0]).netloc,
        "STILLFRAME_CHROMIUM": job.chromium,
    }
    settings = Settings.from_environment(**overrides)
    clients = Clients.connect(settings.tabs_ceiling + 8)
    requests = [
        CaptureRequest(
            url=url,
            request_id=f"{time.time_ns()}-{number}",
            options=WAIT[job.folder is None] | ({"fullPage": True} if is_full_page(url) else {}),
        )
        for number, url in enumerate(job.urls)
    ]
    list(Producer(clients, settings).send(requests))
    captured: list[tuple[str, str]] = []

    def observe(outcome: Outcome) -> None:
        assert outcome.kind is OutcomeKind.CAPTURED, outcome
        assert outcome.image is not None
        captured.append((outcome.url, outcome.image.s3_key))
        report_capture(outcome.url, time.monotonic() - outcome.duration_ms / 1000, outcome.image.bytes)

    loop = ReceiveLoop(settings.tabs_ceiling)
    configure_process()
    runtime = Runtime.build(settings, clients, [observe, loop.observe])
    poller = Poller(clients, settings, runtime.handler.handle)
    loop.run(poller, threading.Event(), wait_seconds=1, until_empty=True, tabs=lambda: runtime.tabs.width)
    assert len(captured) == len(requests), f"{len(captured)} of {len(requests)}"
    store = ImageStore(clients.s3, settings.bucket_name, settings.key_prefix)
    for url, key in captured if job.folder is not None else ():
        stored = store.read(key, {})
        job.store(url, stored[0] if stored is not None else b"")
    runtime.close()


if __name__ == "__main__":
    main()
