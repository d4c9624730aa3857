"""What is in the place of Lambda's event source mapping in `serve`: several batches at once, none lost to another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stillframe_cli.webhook_poller import BATCH_SIZE, WebhookPoller
from tests.support.post import Post

SECONDS = 20.0


class Handler:
    """Does with each batch what it is told."""

    def __init__(self, act: Callable[[int], None]) -> None:
        self._act = act
        self._count = 0
        self._lock = threading.Lock()

    def handle(self, event: dict[str, Any], /) -> dict[str, Any]:
        with self._lock:
            number = self._count
            self._count += 1
        self._act(number)
        return {"batchItemFailures": []}


@pytest.fixture
def running(post: Post) -> Iterator[Callable[[Handler], None]]:
    """Runs a poller on two batches of messages, until the test ends."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def run(handler: Handler) -> None:
        for number in range(2 * BATCH_SIZE):
            post.cloud.clients.sqs.send_message(QueueUrl=post.settings.webhook_queue_url, MessageBody=str(number))
        poller = WebhookPoller(post.cloud.clients, post.settings, handler)
        threads.append(threading.Thread(target=poller.run, args=(stop,), daemon=True))
        threads[0].start()

    yield run
    stop.set()
    for thread in threads:
        thread.join(SECONDS)


def test_receivers_that_are_slow_delay_no_other_batch(running: Callable[[Handler], None]) -> None:
    # Given receivers of a first batch that answer once those of the second are told
    second = threading.Event()
    first_saw_it: list[bool] = []

    def act(number: int) -> None:
        if number:
            second.set()
        else:
            first_saw_it.append(second.wait(SECONDS))

    # When both batches wait
    running(Handler(act))
    # Then the second one is tried while the first one still is
    assert second.wait(2 * SECONDS)
    while not first_saw_it:
        threading.Event().wait(0.05)
    assert first_saw_it == [True]


def test_a_bug_in_one_batch_stops_no_other(running: Callable[[Handler], None]) -> None:
    # Given a first batch that meets a bug
    second = threading.Event()

    def act(number: int) -> None:
        if not number:
            raise KeyError("a bug")
        second.set()

    # When both batches wait, then the second one is tried
    running(Handler(act))
    assert second.wait(SECONDS)
