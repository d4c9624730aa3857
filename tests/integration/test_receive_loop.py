"""The loop that keeps a consumer's tabs busy, on a real queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from stillframe.outcome import Outcome, OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe_cli.poller import Poller
from stillframe_cli.receive_loop import ReceiveLoop
from tests.support.cloud import Cloud

TABS = 2


class Tabs:
    """Replaces the batch handler: handles as many records at once as there are tabs, each for a given time."""

    def __init__(self, loop: ReceiveLoop, seconds: Callable[[int], float]) -> None:
        self._pool = ThreadPoolExecutor(TABS)
        self._loop = loop
        self._seconds = seconds
        self._lock = threading.Lock()
        self.began: list[float] = []
        self.ended: list[float] = []
        self.waiting = self.max_waiting = 0

    def handle(self, event: dict[str, Any], _: object) -> Any:
        with self._lock:
            self.waiting += len(event["Records"])
            self.max_waiting = max(self.max_waiting, self.waiting)
        list(self._pool.map(self._handle_record, event["Records"]))
        return {"batchItemFailures": []}

    def _handle_record(self, record: dict[str, Any]) -> None:
        with self._lock:
            number = len(self.began)
            self.began.append(time.monotonic())
        time.sleep(self._seconds(number))
        with self._lock:
            self.waiting -= 1
            self.ended.append(time.monotonic())
        self._loop.observe(
            Outcome(kind=OutcomeKind.CAPTURED, acknowledge=True, id="x", url="", message_id=record["messageId"])
        )


def consume(
    cloud: Cloud,
    seconds: Callable[[int], float],
    stop: threading.Event | None = None,
    until_empty: bool = True,
    has_short_leases: bool = False,
) -> Tabs:
    loop = ReceiveLoop(TABS)
    tabs = Tabs(loop, seconds)
    poller = Poller(cloud.clients, cloud.settings, tabs.handle)
    loop.run(poller, stop or threading.Event(), 1, until_empty, lambda: TABS, has_short_leases=has_short_leases)
    assert loop.received == len(tabs.began)
    return tabs


def send(cloud: Cloud, count: int) -> None:
    cloud.send(*(CaptureRequest(url="https://example.com/", request_id=f"page-{number}") for number in range(count)))


def test_a_slow_page_does_not_delay_the_others(cloud: Cloud) -> None:
    # Given eight messages, the first of which takes as long as all the others together
    send(cloud, 8)
    # When they are captured with two tabs
    tabs = consume(cloud, lambda number: 1.4 if number == 0 else 0.2)
    # Then the other tab handles the rest meanwhile, and everything is deleted
    assert len(tabs.ended) == 8
    assert max(tabs.began) < min(tabs.began) + 1.4
    assert cloud.receive() == []


def test_it_receives_no_more_than_it_can_start_soon(cloud: Cloud) -> None:
    send(cloud, 12)
    assert consume(cloud, lambda _: 0.05).max_waiting <= 2 * TABS


def test_nothing_waits_whose_lease_is_short(cloud: Cloud) -> None:
    # Given a queue whose messages are soon visible again, and more of them than there are tabs
    send(cloud, 6)
    # When they are captured, then none has waited for its capture, and no tab for the slowest capture
    tabs = consume(cloud, lambda number: 1.8 if number == 0 else 0.1, has_short_leases=True)
    assert tabs.max_waiting <= TABS
    assert max(tabs.began) < min(tabs.began) + 1.8


def test_a_stop_finishes_received_messages_and_leaves_the_rest(cloud: Cloud) -> None:
    # Given more messages than the loop receives at once, and a stop while the first are in progress
    send(cloud, 10)
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    tabs = consume(cloud, lambda _: 0.8, stop, until_empty=False)
    # Then the received messages are finished, and the others are on the queue
    assert len(tabs.ended) == len(tabs.began) <= 2 * TABS
    assert len(cloud.receive()) == 10 - len(tabs.ended)


def test_it_receives_again_after_an_error_of_aws(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    send(cloud, 3)
    monkeypatch.setattr("stillframe_renderer.health.FIRST_PAUSE_SECONDS", 0.05)
    receive, failures = Poller.receive, iter([True, True])

    def fail_first(self: Poller, wait_seconds: int, max_messages: int) -> Any:
        if next(failures, False):
            raise EndpointConnectionError(endpoint_url="http://sqs")
        return receive(self, wait_seconds, max_messages)

    monkeypatch.setattr(Poller, "receive", fail_first)
    assert len(consume(cloud, lambda _: 0.01).ended) == 3


def test_an_unexpected_exception_of_the_handler_ends_the_loop(cloud: Cloud) -> None:
    send(cloud, 1)

    def fail(_: int) -> float:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        consume(cloud, fail)


def test_messages_received_after_a_stop_are_returned_at_once(cloud: Cloud) -> None:
    # Given a consumer that waits for messages and is stopped before there are any
    stop = threading.Event()
    loop = ReceiveLoop(TABS)
    poller = Poller(cloud.clients, cloud.settings, lambda *_: pytest.fail("a message was handled"))
    loop_thread = threading.Thread(target=loop.run, args=(poller, stop, 5, False, lambda: TABS))
    loop_thread.start()
    time.sleep(0.5)
    stop.set()
    # When messages arrive
    send(cloud, 2)
    loop_thread.join(10)
    # Then other consumers can receive them at once
    assert not loop_thread.is_alive()
    assert len(cloud.receive()) == 2
