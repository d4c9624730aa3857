"""Duplicates on a real table: which are skipped, which are kept, which are refused."""

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


def test_of_many_workers_at_once_one_wins(cloud: Cloud, clock: FakeClock) -> None:
    # Given eight workers, each with a message of its own for one id
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


def test_a_duplicate_under_another_message_is_skipped_and_acknowledged(cloud: Cloud, clock: FakeClock) -> None:
    # Given a holder in mid-render
    other = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock, "worker-2")
    seen = []
    received_before = clock.ms - 1
    received_after = clock.ms + 1

    def meanwhile() -> None:
        # When duplicates come to another worker, received before and after the holder's claim
        seen.append(other.process(message(REQUEST, "m-2", received_at_ms=received_before), FakeContext()))
        seen.append(other.process(message(REQUEST, "m-3", received_at_ms=received_after), FakeContext()))

    capture_with(cloud.clients, cloud.settings, FakeRenderer(meanwhile), clock).process(message(REQUEST), FakeContext())
    # Then both go, because the holder's own message still guarantees the work
    assert [(outcome.reason, outcome.acknowledge) for outcome in seen] == [
        ("race_condition_prevented", True),
        ("already_processing", True),
    ]


def test_a_redelivery_of_the_holders_own_message_is_not_acknowledged(cloud: Cloud, clock: FakeClock) -> None:
    # Given a holder in mid-render, whose message becomes visible too early
    other = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock, "worker-2")
    seen = []

    def meanwhile() -> None:
        # When the same message is delivered to another worker
        seen.append(other.process(message(REQUEST, "m-1", receive_count=2), FakeContext()))

    capture_with(cloud.clients, cloud.settings, FakeRenderer(meanwhile), clock).process(message(REQUEST), FakeContext())
    # Then it stays on the queue: it has to outlive a crash of the holder
    assert [(outcome.kind, outcome.reason, outcome.acknowledge) for outcome in seen] == [
        (OutcomeKind.RETRY, "CLAIM_HELD", False)
    ]


def test_a_message_that_has_held_the_claim_is_no_mere_duplicate_later(cloud: Cloud, clock: FakeClock) -> None:
    # Given a message whose capture failed, so that it comes again; in between another message holds the claim
    def crash() -> None:
        raise BrowserCrashed("crashed")

    failing = capture_with(cloud.clients, cloud.settings, FakeRenderer(crash), clock)
    assert failing.process(message(REQUEST, "m-1"), FakeContext()).reason == "BROWSER_CRASHED"
    other = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock, "worker-2")
    seen = []

    def meanwhile() -> None:
        # When it comes again
        seen.append(other.process(message(REQUEST, "m-1", receive_count=2), FakeContext()))

    capture_with(cloud.clients, cloud.settings, FakeRenderer(meanwhile), clock).process(
        message(REQUEST, "m-2"), FakeContext()
    )
    # Then it is kept: duplicates were acknowledged because of it, and the holder's message may be one of them
    assert [(outcome.reason, outcome.acknowledge) for outcome in seen] == [("CLAIM_HELD", False)]


def test_a_redriven_message_is_no_mere_duplicate(cloud: Cloud, clock: FakeClock) -> None:
    # Given a holder in mid-render, whose message became a dead letter meanwhile
    other = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock, "worker-2")
    seen = []

    def meanwhile() -> None:
        # When it is brought back, as a message with another id
        seen.append(other.process(replace(message(REQUEST, "m-2"), is_redriven=True), FakeContext()))

    capture_with(cloud.clients, cloud.settings, FakeRenderer(meanwhile), clock).process(message(REQUEST), FakeContext())
    # Then it is kept: it may be all that is left of the holder's own
    assert [(outcome.reason, outcome.acknowledge) for outcome in seen] == [("CLAIM_HELD", False)]


def test_the_same_id_for_another_request_goes_to_the_dead_letter_queue(cloud: Cloud, clock: FakeClock) -> None:
    # Given an id that is taken
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock)
    worker.process(message(REQUEST), FakeContext())
    # When another url, or other options, come under it
    other_url = CaptureRequest(url="https://example.com/other", request_id="order-42")
    other_options = CaptureRequest(url=REQUEST.url, request_id="order-42", options={"fullPage": True})
    outcomes = [worker.process(message(each, f"m-{each.url}"), FakeContext()) for each in (other_url, other_options)]
    # Then they are refused, with the reason on the dead letter, and the record is as it was
    assert [(outcome.reason, outcome.acknowledge) for outcome in outcomes] == [("ID_CONFLICT", True)] * 2
    letters = cloud.dead_letters()
    assert {letter["Body"] for letter in letters} == {other_url.to_body(), other_options.to_body()}
    assert {letter["MessageAttributes"]["errorCode"]["StringValue"] for letter in letters} == {"ID_CONFLICT"}
    assert cloud.record("order-42").status is Status.SUCCESS


def test_spelling_a_default_out_is_no_conflict(cloud: Cloud, clock: FakeClock) -> None:
    # Given a capture without options
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock)
    worker.process(message(REQUEST), FakeContext())
    # When the same is asked for with a default spelt out
    spelt = CaptureRequest(url=REQUEST.url, request_id="order-42", options={"fullPage": False})
    outcome = worker.process(message(spelt, "m-2"), FakeContext())
    # Then it is the same request
    assert outcome.reason == "already_success"
