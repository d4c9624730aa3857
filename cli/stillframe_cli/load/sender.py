"""Many senders at once, each with one message at a time, when it is due."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

from stillframe.clients import Clients
from stillframe.request.capture_request import CaptureRequest
from stillframe.settings import Settings
from stillframe_cli.producer import Producer, Sent


class InPlace(Executor):
    """Runs at once and in the caller: a sender is a thread of its own already."""

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """The future is done when this returns."""
        future: Future[Any] = Future()
        try:
            future.set_result(call(*arguments, **named))
        except Exception as error:
            future.set_exception(error)
        return future


class Senders:
    """So many at once; they begin together, behind one barrier."""

    def __init__(self, clients: Clients, settings: Settings, count: int) -> None:
        self._producer = Producer(clients, settings, new_pool=InPlace)
        self._count = count

    def send(
        self, requests: Sequence[CaptureRequest], due: Iterator[float], sent: Callable[[Sent], None]
    ) -> tuple[float, float]:
        """Send all; `sent` is called for each, on the sender's thread. Returns when it began and ended (epoch).

        Raises the first error that a sender met, after all have ended.
        """
        left = iter(zip(requests, due, strict=True))
        lock = threading.Lock()
        gate = threading.Barrier(self._count + 1)
        began = 0.0

        def work() -> None:
            gate.wait()
            while True:
                with lock:
                    following = next(left, None)
                if following is None:
                    return
                request, at = following
                time.sleep(max(0.0, began + at - time.time()))
                for each in self._producer.send([request]):
                    sent(each)

        with ThreadPoolExecutor(self._count, thread_name_prefix="sender") as pool:
            futures = [pool.submit(work) for _ in range(self._count)]
            began = time.time()
            gate.wait()
        for future in futures:
            future.result()
        return began, time.time()


def requests_for(count: int, run: str, duplicates: bool, templates: Sequence[CaptureRequest]) -> list[CaptureRequest]:
    """Unique requests, the templates in turn; or one request so many times, under one id."""
    if duplicates:
        return [templates[0].model_copy(update={"request_id": run})] * count
    turns = itertools.islice(itertools.cycle(templates), count)
    return [each.model_copy(update={"request_id": f"{run}-{number:06d}"}) for number, each in enumerate(turns)]
