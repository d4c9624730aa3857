"""At most so many captures at once of one host, over all workers; nothing is lost, and no other host waits for it."""

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
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options import RenderOptions
from stillframe.table import host_limit
from stillframe.table.host_limit import MIN_WAIT_CEILING_SECONDS, HostLimit
from stillframe.table.record import Status
from stillframe.table.table import Table
from stillframe_cli.poller import Poller
from stillframe_cli.producer import Producer
from stillframe_cli.redriver import Redriver
from stillframe_renderer.message.batch import BatchHandler
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, fixed_tabs, message
from tests.support.proxy import Call, Verdict, proxying

PER_HOST = 2


class Watched(FakeRenderer):
    """Takes a while, and sees how many of one host it is asked for at once."""

    def __init__(self) -> None:
        super().__init__()
        self.most: Counter[str] = Counter()
        self._now: Counter[str] = Counter()
        self._lock = threading.Lock()

    def render(self, url: str, options: RenderOptions, deadline: Deadline) -> RenderResult:
        host = canonical_host_of(url)
        with self._lock:
            self._now[host] += 1
            self.most[host] = max(self.most[host], self._now[host])
        try:
            time.sleep(0.1)
            return super().render(url, options, deadline)
        finally:
            with self._lock:
                self._now[host] -= 1


@pytest.fixture
def polite(make_cloud: MakeCloud) -> Cloud:
    """A host may have two captures at once, and a message two tries: waiting must not be one."""
    return make_cloud(max_receive_count=2, STILLFRAME_PER_HOST=str(PER_HOST))


def test_no_host_has_more_than_its_share_and_every_page_its_turn(
    polite: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given many pages of one host and a few of another, and workers that could take all of them at once
    monkeypatch.setattr(host_limit, "MIN_WAIT_CEILING_SECONDS", 1)
    monkeypatch.setattr(host_limit, "MAX_WAIT_SECONDS", 1)
    busy = [CaptureRequest(url=f"https://busy.example/{n}", request_id=f"busy-{n}") for n in range(20)]
    other = [CaptureRequest(url=f"https://other.example/{n}", request_id=f"other-{n}") for n in range(4)]
    polite.send(*busy, *other)
    renderer, outcomes = Watched(), list[Outcome]()
    workers = [
        BatchHandler(
            capture_with(polite.clients, polite.settings, renderer, SystemClock(), f"worker-{number}"),
            [outcomes.append],
            fixed_tabs(8),
            SystemClock(),
        )
        for number in range(2)
    ]
    # When both work until nothing is left
    give_up_at = time.monotonic() + 60

    def work(handler: BatchHandler) -> None:
        poller = Poller(polite.clients, polite.settings, handler.handle)
        while time.monotonic() < give_up_at and not poller.is_drained():
            poller.poll(1)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, workers))
    for worker in workers:
        worker.close()
    # Then no host had more than its share, though some had to wait
    assert max(renderer.most.values()) == PER_HOST
    assert "HOST_BUSY" in {outcome.reason for outcome in outcomes}
    # And every page was captured once, however often it waited
    assert sorted(renderer.rendered) == sorted(request.url for request in (*busy, *other))
    assert {polite.record(request.id).status for request in (*busy, *other)} == {Status.SUCCESS}
    assert polite.dead_letters() == []
    assert polite.audit().is_clean


def test_a_message_that_waits_keeps_its_tries_and_its_tenant(polite: Cloud, clock: FakeClock) -> None:
    # Given a host whose slots are all taken, and a message of a tenant that was received before
    slots = HostLimit(polite.table, PER_HOST, clock)
    for _ in range(PER_HOST):
        assert slots.acquire("https://busy.example/", 60_000) is not None
    request = CaptureRequest(url="https://BUSY.example:8443/", request_id="waits")
    Producer(polite.clients, polite.settings, tenant="acme").send([request])
    (sent,) = list(Producer(polite.clients, polite.settings, tenant="acme").send([request]))
    (raw,) = polite.receive(1)
    assert raw["Attributes"]["MessageGroupId"] == "acme"
    original = message(request, sent.message_id, receive_count=2)
    # When a worker gets it
    worker = capture_with(polite.clients, polite.settings, FakeRenderer(), clock)
    outcome = worker.process(original, FakeContext())
    # Then it is acknowledged, and its copy says how often it had been received
    assert (outcome.kind, outcome.reason, outcome.acknowledge) == (OutcomeKind.RETRY, "HOST_BUSY", True)
    assert polite.record("waits").status is Status.QUEUED
    copies: list[dict[str, object]] = []
    give_up_at = time.monotonic() + 15
    while not copies and time.monotonic() < give_up_at:
        copies = polite.receive(1)
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
    assert polite.receive(1) == []


def test_what_is_redriven_has_all_its_tries_again(polite: Cloud, clock: FakeClock) -> None:
    # Given a letter that had waited for its host and had used up its tries
    request = CaptureRequest(url="https://busy.example/", request_id="waited")
    attributes = {"redrivenFrom": "earlier", "postponed": "7", "receivedBefore": "2", "mine": "kept"}
    polite.clients.sqs.send_message(
        QueueUrl=polite.settings.dead_letter_queue_url,
        MessageBody=request.to_body(),
        MessageAttributes={name: {"DataType": "String", "StringValue": each} for name, each in attributes.items()},
    )
    # When it is redriven
    assert Redriver(polite.clients, polite.settings).redrive().moved == 1
    # Then nothing counts against it any more, and what is the sender's is kept
    (copy,) = polite.receive(1)
    told = {name: each["StringValue"] for name, each in copy["MessageAttributes"].items()}
    assert told.keys() == {"redrivenFrom", "postponed", "mine"}


def test_a_slot_whose_answer_was_lost_is_still_ones_own(
    polite: Cloud, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a host with one slot, and a connection that breaks after it was taken, so that boto3 takes it again
    lost: list[Call] = []

    def lose_the_first_answer(call: Call) -> Verdict:
        lost.append(call)
        return Verdict.DROP if len(lost) == 1 else Verdict.PASS

    with proxying(polite.exports["AWS_ENDPOINT_URL"], after=lose_the_first_answer) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        slots = HostLimit(Table(Clients.connect().dynamodb, polite.settings.table_name), 1, clock)
        # When it is taken: Then it is had, and released it is free
        slots.release(slots.acquire("https://busy.example/", 60_000))
        assert len(lost) > 1
        assert slots.acquire("https://busy.example/", 60_000) is not None


def test_a_slot_whose_holder_died_is_free_again_when_its_lease_is_over(polite: Cloud, clock: FakeClock) -> None:
    # Given slots that nobody releases
    slots = HostLimit(polite.table, 1, clock)
    dead = slots.acquire("https://busy.example/", 5_000)
    with pytest.raises(HostBusy):
        slots.acquire("https://busy.example/other", 5_000)
    # When their lease is over
    clock.ms += 5_001
    mine = slots.acquire("https://busy.example/", 5_000)
    # Then another has it, and the dead one's release changes nothing
    assert mine is not None
    slots.release(dead)
    with pytest.raises(HostBusy):
        slots.acquire("https://busy.example/", 5_000)
    slots.release(mine)
    assert slots.acquire("https://busy.example/", 5_000) is not None


def test_without_a_bound_nothing_is_asked(cloud: Cloud, clock: FakeClock) -> None:
    calls = cloud.count_calls()
    slots = HostLimit(cloud.table, 0, clock)
    slots.release(slots.acquire("https://busy.example/", 1000))
    assert calls == []


@pytest.mark.parametrize("url", ["", "nonsense", "http://[", "data:text/html,x"])
def test_what_has_no_host_has_no_bound(polite: Cloud, clock: FakeClock, url: str) -> None:
    slots = HostLimit(polite.table, 1, clock)
    assert slots.acquire(url, 1000) is slots.acquire(url, 1000) is None
