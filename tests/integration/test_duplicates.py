"""Duplicates on a real table: which are skipped, kept or refused."""

from __future__ import annotations

import threading
from dataclasses import replace

from stillframe.errors import BrowserCrashed
from stillframe.outcome import OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Status
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, message

REQUEST = CaptureRequest(url="https://example.com/", request_id="order-42")


def test_one_of_many_concurrent_workers_wins(cloud: Cloud, clock: FakeClock) -> None:
    # Given eight workers with different messages for one id
    renderer = FakeRenderer()
    outcomes = []

    def work(number: int) -> None:
        worker = capture_with(cloud.clients, cloud.settings, renderer, clock, f"worker-{number}")
        outcomes.append(worker.process(message(REQUEST, f"m-{number}"), FakeContext()))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    # When they start together
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Then one renders and seven skip
    assert len(renderer.rendered) == 1
    assert sorted(outcome.kind for outcome in outcomes) == ["captured"] + ["skipped"] * 7
    assert len(cloud.versions()) == 1


def test_a_duplicate_with_another_message_is_skipped_and_acknowledged(cloud: Cloud, clock: FakeClock) -> None:
    # Given a holder during its render
    other = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock, "worker-2")
    seen = []
    received_before = clock.ms - 1
    received_after = clock.ms + 1

    def meanwhile() -> None:
        # When another worker processes duplicates that it received before and after the holder's claim
        seen.append(other.process(message(REQUEST, "m-2", received_at_ms=received_before), FakeContext()))
        seen.append(other.process(message(REQUEST, "m-3", received_at_ms=received_after), FakeContext()))

    capture_with(cloud.clients, cloud.settings, FakeRenderer(meanwhile), clock).process(message(REQUEST), FakeContext())
    # Then both are acknowledged, because the holder's own message still guarantees the capture
    assert [(outcome.reason, outcome.acknowledge) for outcome in seen] == [
        ("race_condition_prevented", True),
        ("already_processing", True),
    ]


def test_a_redelivery_of_the_holders_own_message_is_not_acknowledged(cloud: Cloud, clock: FakeClock) -> None:
    # Given a holder during its render, whose message becomes visible too early
    other = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock, "worker-2")
    seen = []

    def meanwhile() -> None:
        # When the same message is delivered to another worker
        seen.append(other.process(message(REQUEST, "m-1", receive_count=2), FakeContext()))

    capture_with(cloud.clients, cloud.settings, FakeRenderer(meanwhile), clock).process(message(REQUEST), FakeContext())
    # Then it stays on the queue, because it must outlive a crash of the holder
    assert [(outcome.kind, outcome.reason, outcome.acknowledge) for outcome in seen] == [
        (OutcomeKind.RETRY, "CLAIM_HELD", False)
    ]


def test_a_message_that_has_held_the_claim_is_not_treated_as_a_duplicate(cloud: Cloud, clock: FakeClock) -> None:
    # Given a message whose capture failed, and another message that holds the claim before the first is redelivered
    def crash() -> None:
        raise BrowserCrashed("crashed")

    failing = capture_with(cloud.clients, cloud.settings, FakeRenderer(crash), clock)
    assert failing.process(message(REQUEST, "m-1"), FakeContext()).reason == "BROWSER_CRASHED"
    other = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock, "worker-2")
    seen = []

    def meanwhile() -> None:
        # When it is delivered again
        seen.append(other.process(message(REQUEST, "m-1", receive_count=2), FakeContext()))

    capture_with(cloud.clients, cloud.settings, FakeRenderer(meanwhile), clock).process(
        message(REQUEST, "m-2"), FakeContext()
    )
    # Then it is kept: duplicates were acknowledged because of it, and the holder's message may be one of them
    assert [(outcome.reason, outcome.acknowledge) for outcome in seen] == [("CLAIM_HELD", False)]


def test_a_redriven_message_is_not_treated_as_a_duplicate(cloud: Cloud, clock: FakeClock) -> None:
    # Given a holder during its render, whose message became a dead letter meanwhile
    other = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock, "worker-2")
    seen = []

    def meanwhile() -> None:
        # When it is redriven, as a message with another id
        seen.append(other.process(replace(message(REQUEST, "m-2"), is_redriven=True), FakeContext()))

    capture_with(cloud.clients, cloud.settings, FakeRenderer(meanwhile), clock).process(message(REQUEST), FakeContext())
    # Then it is kept: it may be the only message left of the holder's request
    assert [(outcome.reason, outcome.acknowledge) for outcome in seen] == [("CLAIM_HELD", False)]


def test_another_request_with_the_same_id_is_dead_lettered(cloud: Cloud, clock: FakeClock) -> None:
    # Given an id that is already used
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock)
    worker.process(message(REQUEST), FakeContext())
    # When messages with another URL or other options have the same id
    other_url = CaptureRequest(url="https://example.com/other", request_id="order-42")
    other_options = CaptureRequest(url=REQUEST.url, request_id="order-42", options={"fullPage": True})
    outcomes = [worker.process(message(each, f"m-{each.url}"), FakeContext()) for each in (other_url, other_options)]
    # Then they become dead letters with the reason, and the record is unchanged
    assert [(outcome.reason, outcome.acknowledge) for outcome in outcomes] == [("ID_CONFLICT", True)] * 2
    letters = cloud.dead_letters()
    assert {letter["Body"] for letter in letters} == {other_url.to_body(), other_options.to_body()}
    assert {letter["MessageAttributes"]["errorCode"]["StringValue"] for letter in letters} == {"ID_CONFLICT"}
    assert cloud.record("order-42").status is Status.SUCCESS


def test_writing_out_a_default_is_not_a_conflict(cloud: Cloud, clock: FakeClock) -> None:
    # Given a capture without options
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock)
    worker.process(message(REQUEST), FakeContext())
    # When the same request comes with a default written out
    explicit = CaptureRequest(url=REQUEST.url, request_id="order-42", options={"fullPage": False})
    outcome = worker.process(message(explicit, "m-2"), FakeContext())
    # Then it is the same request
    assert outcome.reason == "already_success"
