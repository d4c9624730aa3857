"""Many senders at once. Each sends one message at a time, when it is due."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

from stillframe.clients import Clients
from stillframe.producer import Producer, SentMessage
from stillframe.request.capture_request import CaptureRequest
from stillframe.settings import Settings


class InlineExecutor(Executor):
    """Runs each call at once in the caller's thread, because each sender already has its own thread."""

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """Run the call. The future is done when this returns."""
        future: Future[Any] = Future()
        try:
            future.set_result(call(*arguments, **named))
        except Exception as error:
            future.set_exception(error)
        return future


class SenderPool:
    """A number of senders that all start at the same moment."""

    def __init__(self, clients: Clients, settings: Settings, count: int) -> None:
        self._producer = Producer(clients, settings, new_pool=InlineExecutor)
        self._count = count

    def send(
        self, requests: Sequence[CaptureRequest], due: Iterator[float], on_sent: Callable[[SentMessage], None]
    ) -> tuple[float, float]:
        """Send all requests, each when it is due (seconds since the start).

        `on_sent` is called for each on a sender's thread. Returns when the sending started and ended, in seconds since
        the epoch. Raises the first error of a sender, after all senders have ended.
        """
        remaining = iter(zip(requests, due, strict=True))
        lock = threading.Lock()
        gate = threading.Barrier(self._count + 1)
        started_at = 0.0

        def send_remaining() -> None:
            gate.wait()
            while True:
                with lock:
                    following = next(remaining, None)
                if following is None:
                    return
                request, due_seconds = following
                time.sleep(max(0.0, started_at + due_seconds - time.time()))
                for message in self._producer.send([request]):
                    on_sent(message)

        with ThreadPoolExecutor(self._count, thread_name_prefix="sender") as pool:
            futures = [pool.submit(send_remaining) for _ in range(self._count)]
            started_at = time.time()
            gate.wait()
        for future in futures:
            future.result()
        return started_at, time.time()


def build_requests(
    count: int, run_id: str, duplicates: bool, templates: Sequence[CaptureRequest]
) -> list[CaptureRequest]:
    """Return `count` requests with ids of their own that take turns with the templates, or `count` times the same."""
    if duplicates:
        return [templates[0].model_copy(update={"request_id": run_id})] * count
    repeated = itertools.islice(itertools.cycle(templates), count)
    return [each.model_copy(update={"request_id": f"{run_id}-{number:06d}"}) for number, each in enumerate(repeated)]
