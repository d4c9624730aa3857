"""How a message is processed, with real queues, table and bucket; only the renderer is a fake."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stillframe.clock import Deadline
from stillframe.errors import BlockedScheme, BrowserCrashed, CaptureError, CaptureTimeout, UnknownHost
from stillframe.image.render_result import RenderResult
from stillframe.outcome import OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.message import Message
from stillframe.request.options import RenderOptions
from stillframe.table.record import Status
from tests.conftest import MakeCloud
from tests.simulation.aws.errors import client_error
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, message

REQUEST = CaptureRequest(url="https://example.com/", request_id="page-1")


def raising(error: CaptureError | Exception) -> Callable[[], None]:
    def during() -> None:
        raise error

    return during


def received(cloud: Cloud, request: CaptureRequest | str, clock: FakeClock, receive_count: int = 1) -> Message:
    """A message that was sent to the queue and received from it, so that its handle is valid."""
    body = request if isinstance(request, str) else request.to_body()
    cloud.clients.sqs.send_message(QueueUrl=cloud.settings.queue_url, MessageBody=body)
    (raw,) = cloud.receive(1)
    return replace(message(body, raw["MessageId"], receive_count, clock.ms), receipt_handle=raw["ReceiptHandle"])


@pytest.mark.parametrize("error", [UnknownHost("no such host"), BlockedScheme("not http")])
def test_a_permanent_error_is_recorded_and_acknowledged(cloud: Cloud, clock: FakeClock, error: CaptureError) -> None:
    # Given a page that can never be captured
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(raising(error)), clock)
    # When its message is processed
    outcome = worker.process(message(REQUEST), FakeContext())
    # Then the record says why, and the message is acknowledged
    record = cloud.record("page-1")
    assert (outcome.kind, outcome.reason, outcome.acknowledge) == (OutcomeKind.FAILED, error.code, True)
    assert (record.status, record.error_code, record.error_message) == (Status.FAILED, error.code, error.message)
    # And a duplicate is skipped for that reason
    assert worker.process(message(REQUEST, "m-2"), FakeContext()).reason == "already_failed"


def test_a_transient_error_releases_the_claim_and_delays_the_message(cloud: Cloud, clock: FakeClock) -> None:
    # Given a page that times out
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(raising(CaptureTimeout("slow"))), clock)
    delivery = received(cloud, REQUEST, clock, receive_count=3)
    calls = cloud.count_calls()
    # When its message is processed for the third time
    outcome = worker.process(delivery, FakeContext())
    # Then it is not acknowledged, and the record is free for the next attempt
    record = cloud.record("page-1")
    assert (outcome.kind, outcome.reason, outcome.acknowledge) == (OutcomeKind.RETRY, "TIMEOUT", False)
    assert (record.status, record.error_code, record.claim_token) == (Status.QUEUED, "TIMEOUT", None)
    # And the message becomes visible again after the backoff
    assert calls[:3] == ["UpdateItem", "UpdateItem", "ChangeMessageVisibility"]


def test_the_queue_applies_the_backoff(make_cloud: MakeCloud, clock: FakeClock) -> None:
    # Given a queue with a visibility timeout of 30 s, and a backoff of 1 s
    cloud = make_cloud(visibility=30, STILLFRAME_BACKOFF_BASE_SECONDS="1", STILLFRAME_BACKOFF_CAP_SECONDS="1")
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(raising(BrowserCrashed("gone"))), clock)
    delivery = received(cloud, REQUEST, clock)
    # When a transient error happens
    worker.process(delivery, FakeContext())
    # Then the message can be received again after a second
    assert [again["MessageId"] for again in cloud.receive(wait=5)] == [delivery.message_id]


def test_after_the_last_receive_the_capture_is_failed_and_dead_lettered(
    make_cloud: MakeCloud, clock: FakeClock
) -> None:
    # Given a queue with a limit of two receives
    quick = {"STILLFRAME_BACKOFF_BASE_SECONDS": "1", "STILLFRAME_BACKOFF_CAP_SECONDS": "1"}
    cloud = make_cloud(visibility=4, max_receive_count=2, **quick)
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(raising(CaptureTimeout("slow"))), clock)
    cloud.clients.sqs.send_message(QueueUrl=cloud.settings.queue_url, MessageBody=REQUEST.to_body())
    outcomes = []
    # When every delivery times out
    for _ in range(2):
        (raw,) = cloud.receive(1, wait=10)
        count = int(raw["Attributes"]["ApproximateReceiveCount"])
        delivery = replace(message(REQUEST, raw["MessageId"], count, clock.ms), receipt_handle=raw["ReceiptHandle"])
        outcomes.append(worker.process(delivery, FakeContext()))
    # Then the last one is recorded as failed, and not acknowledged
    assert [(outcome.kind, outcome.acknowledge) for outcome in outcomes] == [
        (OutcomeKind.RETRY, False),
        (OutcomeKind.FAILED, False),
    ]
    assert (cloud.record("page-1").status, cloud.record("page-1").error_code) == (Status.FAILED, "TIMEOUT")
    # And SQS moves the message to the dead-letter queue, not before its visibility timeout
    assert cloud.receive(wait=2) == []
    assert cloud.dead_letters() == []
    assert cloud.receive(wait=4) == []
    assert [letter["Body"] for letter in cloud.dead_letters()] == [REQUEST.to_body()]
    # And when it is redriven with a new message id, it is captured
    outcome = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock).process(
        message(REQUEST, "redriven"), FakeContext()
    )
    assert outcome.kind is OutcomeKind.CAPTURED
    assert cloud.record("page-1").error_code is None


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not json",
        "[]",
        '"text"',
        "{}",
        '{"url": 5}',
        '{"url": ""}',
        '{"url": "https://example.com", "requestId": ".hidden"}',
        '{"url": "https://example.com", "requestId": "a b"}',
        '{"url": "https://example.com", "options": []}',
        '{"url": "https://example.com", "option": {}}',
        '{"url": "https://example.com", "requestId": "' + "x" * 129 + '"}',
        '{"url": "https://example.com", "options": {"a": NaN}}',
    ],
)
def test_an_invalid_body_is_dead_lettered_with_its_reason(cloud: Cloud, clock: FakeClock, body: str) -> None:
    # Given / When a message with an invalid body is processed
    outcome = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock).process(message(body), FakeContext())
    # Then its unchanged body is in the dead-letter queue with the reason
    if not body:
        # SQS accepts no empty body, so that this one cannot be copied and stays on the queue.
        assert (outcome.kind, outcome.acknowledge) == (OutcomeKind.RETRY, False)
        return
    (letter,) = cloud.dead_letters()
    assert (outcome.kind, outcome.acknowledge, outcome.reason) == (OutcomeKind.FAILED, True, "UNPARSABLE_BODY")
    assert letter["Body"] == body
    assert letter["MessageAttributes"]["errorMessage"]["StringValue"] == outcome.error_message
    assert letter["MessageAttributes"]["sourceMessageId"]["StringValue"] == "m-1"


def test_a_wrong_option_is_recorded_as_a_failure_that_names_it(cloud: Cloud, clock: FakeClock) -> None:
    # Given a request with an option out of its range
    renderer = FakeRenderer()
    request = CaptureRequest(url="https://example.com/", request_id="wrong", options={"delayMs": 30_001})
    # When it is processed
    outcome = capture_with(cloud.clients, cloud.settings, renderer, clock).process(message(request), FakeContext())
    # Then nothing is rendered, and the record names the option and its range
    record = cloud.record("wrong")
    assert (outcome.kind, outcome.acknowledge, renderer.rendered) == (OutcomeKind.FAILED, True, [])
    assert record.error_code == "INVALID_REQUEST"
    assert "delayMs" in (record.error_message or "")
    assert "range 0 to 30000" in (record.error_message or "")


def test_a_message_without_time_left_is_returned_untouched(cloud: Cloud, clock: FakeClock) -> None:
    # Given an invocation that ends in 1.9 s
    renderer = FakeRenderer()
    worker = capture_with(cloud.clients, cloud.settings, renderer, clock)
    # When a message is processed
    outcome = worker.process(message(REQUEST), FakeContext(1.9))
    # Then it is neither claimed nor rendered nor acknowledged
    assert (outcome.kind, outcome.reason, outcome.acknowledge) == (OutcomeKind.RETRY, "OUT_OF_TIME", False)
    assert (cloud.find_record("page-1"), renderer.rendered) == (None, [])


def test_the_jobs_deadline_is_before_the_end_of_the_invocation(cloud: Cloud, clock: FakeClock) -> None:
    # Given a renderer that records its remaining time
    seconds: list[float] = []

    class RecordingRenderer(FakeRenderer):
        def render(self, url: str, options: RenderOptions, deadline: Deadline) -> RenderResult:
            seconds.append(deadline.remaining_seconds())
            return super().render(url, options, deadline)

    worker = capture_with(cloud.clients, cloud.settings, RecordingRenderer(), clock)
    # When invocations have much and little time left
    for number, left in enumerate((900, 20)):
        worker.process(message(CaptureRequest(url=f"https://example.com/{number}")), FakeContext(left))
    # Then a render gets the job's deadline or the rest of the invocation, minus the time to store
    assert seconds == [cloud.settings.job_deadline_seconds - 1, 19]


def test_a_throttled_table_is_an_error_that_is_retried(
    cloud: Cloud, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a table that throttles
    def throttled(**_: Any) -> None:
        raise client_error("UpdateItem", "ThrottlingException", 400)

    monkeypatch.setattr(cloud.clients.dynamodb, "update_item", throttled)
    renderer = FakeRenderer()
    # When a message is processed
    outcome = capture_with(cloud.clients, cloud.settings, renderer, clock).process(message(REQUEST), FakeContext())
    # Then nothing is rendered, and the message stays
    assert (outcome.kind, outcome.reason, outcome.acknowledge) == (OutcomeKind.RETRY, "AWS_ERROR", False)
    assert renderer.rendered == []


def test_an_unexpected_exception_is_logged_and_retried(
    cloud: Cloud, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a renderer with a bug
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(raising(ZeroDivisionError("oops"))), clock)
    # When a message is processed
    with caplog.at_level(logging.ERROR):
        outcome = worker.process(message(REQUEST), FakeContext())
    # Then it stays on the queue, the claim is released, and the traceback is logged
    assert (outcome.kind, outcome.reason, outcome.acknowledge) == (OutcomeKind.RETRY, "UNEXPECTED", False)
    assert cloud.record("page-1").status is Status.QUEUED
    assert "ZeroDivisionError" in caplog.text


def test_the_canonical_line_has_wire_names_and_no_empty_values(cloud: Cloud, clock: FakeClock) -> None:
    # Given / When a page is captured
    outcome = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock).process(
        message(REQUEST), FakeContext()
    )
    # Then its log line is one flat JSON object
    line = json.loads(json.dumps(outcome.to_wire()))
    assert {"id", "url", "outcome", "messageId", "receiveCount", "renderMs", "claimAgeMs", "bytes"} <= line.keys()
    assert None not in line.values()
    assert (line["claimAgeMs"], line["latencyMs"]) == (250, 250)
