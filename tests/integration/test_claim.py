"""The claim on a real table: which delivery wins it, which loses, and that a late holder changes nothing."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from stillframe.errors import BrowserCrashed, UnknownHost
from stillframe.outcome import OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.message import Delivery
from stillframe.table import transitions
from stillframe.table.record import INDEX_NAME
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, message

REQUEST = CaptureRequest(url="https://example.com/", request_id="order-42")


def test_a_capture_makes_three_aws_calls_and_a_duplicate_one(cloud: Cloud, clock: FakeClock) -> None:
    # Given a worker
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock)
    calls = cloud.count_calls()
    # When a message is captured
    worker.process(message(REQUEST), FakeContext())
    # Then it took a claim, a put and a completion
    assert calls == ["UpdateItem", "PutObject", "UpdateItem"]
    # When a duplicate is delivered
    calls.clear()
    outcome = worker.process(message(REQUEST, "m-2"), FakeContext())
    # Then one call returns that it is captured, and where the image is
    assert calls == ["UpdateItem"]
    assert (outcome.kind, outcome.reason, outcome.acknowledge) == (OutcomeKind.SKIPPED, "already_success", True)
    assert outcome.s3_url == cloud.record("order-42").s3_url


def test_an_image_is_sent_at_once_with_its_own_checksum(cloud: Cloud, clock: FakeClock) -> None:
    # Given a worker whose requests to S3 are recorded
    sent: list[Any] = []
    cloud.clients.s3.meta.events.register("before-send.s3.PutObject", lambda request, **_: sent.append(request))
    # When a message is captured
    capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock).process(message(REQUEST), FakeContext())
    # Then the body is sent without waiting, and the signature covers the checksum that S3 verifies
    (request,) = sent
    assert "Expect" not in request.headers
    assert request.headers["X-Amz-Content-SHA256"] == b"UNSIGNED-PAYLOAD"
    assert b"x-amz-checksum-sha256" in request.headers["Authorization"]


def test_the_record_has_every_attribute_of_the_contract(cloud: Cloud, clock: FakeClock) -> None:
    # Given / When a page is captured with options
    request = CaptureRequest(url="https://example.com/", request_id="full", options={"deviceScaleFactor": 1.5})
    capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock).process(message(request), FakeContext())
    # Then the record describes the image, the page and the history of the capture
    found = cloud.record("full")
    record = found.to_wire()
    head = cloud.clients.s3.head_object(Bucket=cloud.settings.bucket_name, Key=record["s3Key"])
    assert record["s3Key"] == "screenshots/a1/full.png"
    assert record["s3Url"] == f"s3://{cloud.settings.bucket_name}/screenshots/a1/full.png"
    assert (record["status"], record["attempts"], record["httpStatus"]) == ("success", 1, 200)
    assert (record["width"], record["height"], record["contentType"]) == (8, 8, "image/png")
    assert record["options"] == {"deviceScaleFactor": 1.5}
    assert record["bytes"] == head["ContentLength"]
    assert record["expiresAt"] == clock.ms // 1000 + cloud.settings.record_retention_seconds
    assert head["Metadata"]["sha256"] == record["sha256"]
    assert head["Metadata"]["claim-token"] == found.claim_token
    assert {"workerId", "messageId", "queuedAt", "claimedAt", "updatedAt", "durationMs"} <= record.keys()
    assert "leaseExpiresAt" not in record


def test_a_success_leaves_the_index_and_a_failure_stays(cloud: Cloud, clock: FakeClock) -> None:
    # Given one success and one permanent failure
    def refuse() -> None:
        raise UnknownHost("no such host")

    capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock).process(message(REQUEST), FakeContext())
    failing = CaptureRequest(url="https://nowhere.example/", request_id="lost")
    capture_with(cloud.clients, cloud.settings, FakeRenderer(refuse), clock).process(
        message(failing, "m-2"), FakeContext()
    )
    # When the whole index is read
    items = cloud.clients.dynamodb.scan(TableName=cloud.settings.table_name, IndexName=INDEX_NAME)["Items"]
    # Then it has only the failure
    assert [item["id"]["S"] for item in items] == ["lost"]


@pytest.mark.parametrize(
    ("status", "error_code", "lease_offset_ms", "wins"),
    [
        ("queued", None, None, True),
        ("processing", None, -1, True),
        ("processing", None, 0, False),
        ("processing", None, +1, False),
        ("failed", "TIMEOUT", None, True),
        ("failed", "BROWSER_CRASHED", None, True),
        ("failed", "UNKNOWN_HOST", None, False),
        ("failed", "INVALID_REQUEST", None, False),
        ("success", None, None, False),
    ],
)
def test_which_records_may_be_claimed(
    cloud: Cloud, clock: FakeClock, status: str, error_code: str | None, lease_offset_ms: int | None, wins: bool
) -> None:
    # Given a record of another worker
    values = {
        "id": {"S": "order-42"},
        "status": {"S": status},
        "payloadHash": {"S": REQUEST.payload_hash},
        "messageId": {"S": "other"},
        "claimedAt": {"N": str(clock.ms - 1000)},
    }
    if error_code:
        values["errorCode"] = {"S": error_code}
    if lease_offset_ms is not None:
        values["leaseExpiresAt"] = {"N": str(clock.ms + lease_offset_ms)}
    cloud.clients.dynamodb.put_item(TableName=cloud.settings.table_name, Item=values)
    renderer = FakeRenderer()
    # When a message for it is delivered
    outcome = capture_with(cloud.clients, cloud.settings, renderer, clock).process(message(REQUEST), FakeContext())
    # Then it is rendered exactly if the claim may be won
    assert (outcome.kind is OutcomeKind.CAPTURED) == wins
    assert len(renderer.rendered) == wins


def test_a_call_of_a_claim_that_has_failed_does_not_claim_again(cloud: Cloud, clock: FakeClock) -> None:
    # Given a claim whose call was sent twice, and that has failed with a code that is retried
    given: Any = {"worker_id": "w", "now_ms": clock.ms, "lease_expires_at_ms": clock.ms + 1000}
    claims = {
        token: transitions.claim(Delivery(message(REQUEST), REQUEST), token=token, retention_seconds=1000, **given)
        for token in ("first", "second")
    }
    facts = {"errorCode": BrowserCrashed.code, "errorMessage": ""}
    cloud.table.update(REQUEST.id, claims["first"])
    cloud.table.update(REQUEST.id, transitions.fail(REQUEST.id, "first", facts, clock.ms))
    # When the second sending arrives, and then another claim
    is_applied = [cloud.table.update(REQUEST.id, claims[token]).is_applied for token in ("first", "second")]
    # Then only the other claim has the record, as there is somebody to do its work
    assert is_applied == [False, True]


def test_a_stale_claim_is_taken_over_with_a_warning(
    cloud: Cloud, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    # Given a worker that died during a render
    def die() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        capture_with(cloud.clients, cloud.settings, FakeRenderer(die), clock).process(message(REQUEST), FakeContext(60))
    # When its message is delivered again after the lease and its margin
    clock.advance(60 + cloud.settings.lease_margin_seconds + 0.001)
    with caplog.at_level(logging.WARNING, logger="stillframe"):
        outcome = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock, "worker-2").process(
            message(REQUEST, receive_count=2), FakeContext()
        )
    # Then the next worker takes the claim over, logs a warning, and captures the page
    assert outcome.kind is OutcomeKind.CAPTURED
    assert outcome.attempts == 2
    assert [record.getMessage() for record in caplog.records] == ["processing appears stale, will retry"]


def test_a_lease_never_outlives_its_invocation_by_more_than_the_margin(cloud: Cloud, clock: FakeClock) -> None:
    # Given an invocation with 17 s left
    leases = []

    def read_lease() -> None:
        leases.append(cloud.record("order-42").lease_expires_at)

    # When it captures a page
    before = clock.ms
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(read_lease), clock)
    worker.process(message(REQUEST), FakeContext(17))
    # Then the lease ends with the invocation
    assert (leases[0] or 0) - before == pytest.approx(17_000 + cloud.settings.lease_margin_ms, abs=1)


def test_a_late_completion_does_not_overwrite_the_next_holders_record(cloud: Cloud, clock: FakeClock) -> None:
    # Given a first holder whose lease ran out during its render, and a second holder that captured meanwhile
    second = capture_with(cloud.clients, cloud.settings, FakeRenderer(color="#0000ff"), clock, "worker-2")

    def be_late() -> None:
        clock.advance(100)
        assert second.process(message(REQUEST, "m-1", receive_count=2), FakeContext()).kind is OutcomeKind.CAPTURED

    first = capture_with(cloud.clients, cloud.settings, FakeRenderer(be_late, color="#ff0000"), clock, "worker-1")
    # When the first holder finishes
    outcome = first.process(message(REQUEST), FakeContext(60))
    # Then its result is discarded, and its message is not acknowledged
    assert (outcome.kind, outcome.reason, outcome.acknowledge) == (OutcomeKind.RETRY, "CLAIM_LOST", False)
    assert cloud.record("order-42").worker_id == "worker-2"
    assert len(cloud.versions()) == 1
    assert cloud.audit().is_clean


def test_a_late_failure_does_not_release_the_next_holders_claim(cloud: Cloud, clock: FakeClock) -> None:
    # Given a first holder during its render
    first_renders, fail_now, first_ended = threading.Event(), threading.Event(), threading.Event()

    def fail_on_signal() -> None:
        first_renders.set()
        assert fail_now.wait(10)
        raise BrowserCrashed("late")

    def run_first() -> None:
        first = capture_with(cloud.clients, cloud.settings, FakeRenderer(fail_on_signal), clock, "worker-1")
        first.process(message(REQUEST, "m-1"), FakeContext(60))
        first_ended.set()

    threading.Thread(target=run_first).start()
    assert first_renders.wait(10)
    # And a second holder that took the claim over after the first one's lease
    clock.advance(100)
    third = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock, "worker-3")
    third_outcomes = []

    def let_the_first_fail() -> None:
        # When the first holder fails late
        fail_now.set()
        assert first_ended.wait(10)
        third_outcomes.append(third.process(message(REQUEST, "m-3"), FakeContext()))

    second = capture_with(cloud.clients, cloud.settings, FakeRenderer(let_the_first_fail), clock, "worker-2")
    outcome = second.process(message(REQUEST, "m-2"), FakeContext())
    # Then the second still holds the claim, and a third delivery is refused
    assert [third.kind for third in third_outcomes] == [OutcomeKind.SKIPPED]
    assert outcome.kind is OutcomeKind.CAPTURED
    assert cloud.record("order-42").worker_id == "worker-2"
