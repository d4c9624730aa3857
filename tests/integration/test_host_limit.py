"""The limit of captures at once to one host, over all workers: nothing is lost, and no other host is delayed."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from stillframe.clients import Clients
from stillframe.clock import Deadline, SystemClock
from stillframe.egress.hosts import canonical_host_of
from stillframe.errors import HostBusy
from stillframe.image.render_result import RenderResult
from stillframe.outcome import Outcome, OutcomeKind
from stillframe.producer import Producer
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options import RenderOptions
from stillframe.table import host_limit
from stillframe.table.host_limit import MIN_WAIT_CEILING_SECONDS, HostLimit
from stillframe.table.record import Status
from stillframe.table.table import Table
from stillframe_cli.poller import Poller
from stillframe_cli.redriver import Redriver
from stillframe_renderer.message.batch import BatchHandler
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, fixed_tabs, message
from tests.support.proxy import Call, Verdict, proxying

PER_HOST = 2


class CountingRenderer(FakeRenderer):
    """A slow renderer that counts its renders at once for each host."""

    def __init__(self) -> None:
        super().__init__()
        self.peak: Counter[str] = Counter()
        self._current: Counter[str] = Counter()
        self._lock = threading.Lock()

    def render(self, url: str, options: RenderOptions, deadline: Deadline) -> RenderResult:
        host = canonical_host_of(url)
        with self._lock:
            self._current[host] += 1
            self.peak[host] = max(self.peak[host], self._current[host])
        try:
            time.sleep(0.1)
            return super().render(url, options, deadline)
        finally:
            with self._lock:
                self._current[host] -= 1


@pytest.fixture
def limited_cloud(make_cloud: MakeCloud) -> Cloud:
    """Limits of two captures at once per host and two receives per message, so that a wait must not count as one."""
    return make_cloud(max_receive_count=2, STILLFRAME_PER_HOST=str(PER_HOST))


def test_no_host_exceeds_its_limit_and_every_page_is_captured(
    limited_cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given many pages of one host and a few of another, and workers that could capture all of them at once
    monkeypatch.setattr(host_limit, "MIN_WAIT_CEILING_SECONDS", 1)
    monkeypatch.setattr(host_limit, "MAX_WAIT_SECONDS", 1)
    busy = [CaptureRequest(url=f"https://busy.example/{n}", request_id=f"busy-{n}") for n in range(20)]
    other = [CaptureRequest(url=f"https://other.example/{n}", request_id=f"other-{n}") for n in range(4)]
    limited_cloud.send(*busy, *other)
    renderer, outcomes = CountingRenderer(), list[Outcome]()
    workers = [
        BatchHandler(
            capture_with(limited_cloud.clients, limited_cloud.settings, renderer, SystemClock(), f"worker-{number}"),
            [outcomes.append],
            fixed_tabs(8),
            SystemClock(),
        )
        for number in range(2)
    ]
    # When both workers run until the queue is drained
    give_up_at = time.monotonic() + 60

    def work(handler: BatchHandler) -> None:
        poller = Poller(limited_cloud.clients, limited_cloud.settings, handler.handle)
        while time.monotonic() < give_up_at and not poller.is_drained():
            poller.poll(1)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, workers))
    for worker in workers:
        worker.close()
    # Then no host exceeded the limit, and some messages had to wait
    assert max(renderer.peak.values()) == PER_HOST
    assert "HOST_BUSY" in {outcome.reason for outcome in outcomes}
    # And every page was captured once, however often it waited
    assert sorted(renderer.rendered) == sorted(request.url for request in (*busy, *other))
    assert {limited_cloud.record(request.id).status for request in (*busy, *other)} == {Status.SUCCESS}
    assert limited_cloud.dead_letters() == []
    assert limited_cloud.audit().is_clean


def test_a_message_that_waits_keeps_its_remaining_receives_and_tenant(limited_cloud: Cloud, clock: FakeClock) -> None:
    # Given a host without a free slot, and a tenant's message that was received before
    slots = HostLimit(limited_cloud.table, PER_HOST, clock)
    for _ in range(PER_HOST):
        assert slots.acquire("https://busy.example/", 60_000) is not None
    request = CaptureRequest(url="https://BUSY.example:8443/", request_id="waits")
    Producer(limited_cloud.clients, limited_cloud.settings, tenant="acme").send([request])
    (sent,) = list(Producer(limited_cloud.clients, limited_cloud.settings, tenant="acme").send([request]))
    (raw,) = limited_cloud.receive(1)
    assert raw["Attributes"]["MessageGroupId"] == "acme"
    original = message(request, sent.message_id, receive_count=2)
    # When a worker processes it
    worker = capture_with(limited_cloud.clients, limited_cloud.settings, FakeRenderer(), clock)
    outcome = worker.process(original, FakeContext())
    # Then it is acknowledged, and its copy carries the number of earlier receives
    assert (outcome.kind, outcome.reason, outcome.acknowledge) == (OutcomeKind.RETRY, "HOST_BUSY", True)
    assert limited_cloud.record("waits").status is Status.QUEUED
    copies: list[dict[str, object]] = []
    give_up_at = time.monotonic() + 15
    while not copies and time.monotonic() < give_up_at:
        copies = limited_cloud.receive(1)
    attributes = {name: each["StringValue"] for name, each in copies[0]["MessageAttributes"].items()}  # type: ignore[attr-defined]
    assert attributes == {
        "redrivenFrom": sent.message_id,
        "postponed": "1",
        "firstMessageId": sent.message_id,
        "receivedBefore": "1",
    }
    # And a second delivery of the original makes no second copy
    again = worker.process(original, FakeContext())
    assert (again.reason, again.acknowledge) == ("HOST_BUSY", True)
    time.sleep(MIN_WAIT_CEILING_SECONDS + 1)
    assert limited_cloud.receive(1) == []


def test_a_redriven_message_has_all_its_receives_again(limited_cloud: Cloud, clock: FakeClock) -> None:
    # Given a dead letter that has waited for its host and has used up its receives
    request = CaptureRequest(url="https://busy.example/", request_id="waited")
    attributes = {"redrivenFrom": "earlier", "postponed": "7", "receivedBefore": "2", "custom": "kept"}
    limited_cloud.clients.sqs.send_message(
        QueueUrl=limited_cloud.settings.dead_letter_queue_url,
        MessageBody=request.to_body(),
        MessageAttributes={name: {"DataType": "String", "StringValue": each} for name, each in attributes.items()},
    )
    # When it is redriven
    assert Redriver(limited_cloud.clients, limited_cloud.settings).redrive().moved == 1
    # Then its receives count from zero again, and the sender's attribute is kept
    (copy,) = limited_cloud.receive(1)
    attributes = {name: each["StringValue"] for name, each in copy["MessageAttributes"].items()}
    assert attributes.keys() == {"redrivenFrom", "postponed", "custom"}


def test_a_slot_whose_answer_was_lost_is_recognized_as_ones_own(
    limited_cloud: Cloud, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a host with one slot, and a connection that breaks after the slot was acquired, so that boto3 retries
    lost: list[Call] = []

    def lose_the_first_answer(call: Call) -> Verdict:
        lost.append(call)
        return Verdict.DROP if len(lost) == 1 else Verdict.PASS

    with proxying(limited_cloud.exports["AWS_ENDPOINT_URL"], after=lose_the_first_answer) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        slots = HostLimit(Table(Clients.connect().dynamodb, limited_cloud.settings.table_name), 1, clock)
        # When the slot is acquired, then this worker has it, and it is free after its release
        slots.release(slots.acquire("https://busy.example/", 60_000))
        assert len(lost) > 1
        assert slots.acquire("https://busy.example/", 60_000) is not None


def test_the_slot_of_a_dead_holder_is_free_after_its_lease(limited_cloud: Cloud, clock: FakeClock) -> None:
    # Given a slot that is never released
    slots = HostLimit(limited_cloud.table, 1, clock)
    dead = slots.acquire("https://busy.example/", 5_000)
    with pytest.raises(HostBusy):
        slots.acquire("https://busy.example/other", 5_000)
    # When its lease has ended
    clock.ms += 5_001
    current = slots.acquire("https://busy.example/", 5_000)
    # Then another capture gets it, and a late release by the dead holder changes nothing
    assert current is not None
    slots.release(dead)
    with pytest.raises(HostBusy):
        slots.acquire("https://busy.example/", 5_000)
    slots.release(current)
    assert slots.acquire("https://busy.example/", 5_000) is not None


def test_without_a_limit_no_call_is_made(cloud: Cloud, clock: FakeClock) -> None:
    calls = cloud.count_calls()
    slots = HostLimit(cloud.table, 0, clock)
    slots.release(slots.acquire("https://busy.example/", 1000))
    assert calls == []


@pytest.mark.parametrize("url", ["", "nonsense", "http://[", "data:text/html,x"])
def test_a_url_without_a_host_has_no_limit(limited_cloud: Cloud, clock: FakeClock, url: str) -> None:
    slots = HostLimit(limited_cloud.table, 1, clock)
    assert slots.acquire(url, 1000) is slots.acquire(url, 1000) is None
