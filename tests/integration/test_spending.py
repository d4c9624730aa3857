"""What a delivery spends: its time in AWS calls, and what the worker's time costs, however it ends."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.errors import BrowserCrashed, UnknownHost
from stillframe.outcome import Outcome, OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, dying_before_completion, message

REQUEST = CaptureRequest(url="https://example.com/", request_id="page-1")
# How long each AWS call takes, and each render, in seconds.
SECONDS = {
    "UpdateItem": 0.02,
    "PutObject": 0.3,
    "HeadObject": 0.1,
    "ChangeMessageVisibility": 0.05,
    "SendMessage": 0.07,
}
RENDER_SECONDS = 2


@pytest.fixture
def slow_cloud(cloud: Cloud, clock: FakeClock) -> Cloud:
    """An account whose calls take time on the test's clock."""

    def take_time(model: Any, **_: Any) -> None:
        clock.advance(SECONDS.get(model.name, 0))

    for client in (cloud.clients.sqs, cloud.clients.dynamodb, cloud.clients.s3):
        client.meta.events.register("before-call", take_time)
    return cloud


def deliver(
    cloud: Cloud, clock: FakeClock, error: Exception | None = None, body: CaptureRequest | str = REQUEST, **given: Any
) -> Outcome:
    """One delivery whose render takes two seconds, and ends with the error if there is one."""

    def render() -> None:
        clock.advance(RENDER_SECONDS)
        if error is not None:
            raise error

    return capture_with(cloud.clients, cloud.settings, FakeRenderer(render), clock).process(
        message(body, **given), FakeContext()
    )


def test_a_capture_tells_how_long_each_call_took(slow_cloud: Cloud, clock: FakeClock) -> None:
    # Given / When a capture
    outcome = deliver(slow_cloud, clock)
    # Then the time in AWS is apart from that of the render
    assert outcome.to_wire()["awsMs"] == {"claim": 20, "put": 300, "complete": 20}
    assert outcome.duration_ms == 1000 * RENDER_SECONDS + 340


@pytest.mark.parametrize(
    ("error", "receive_count", "kind", "calls"),
    [
        (BrowserCrashed("crashed"), 1, OutcomeKind.RETRY, {"claim": 20, "release": 20, "delay": 50}),
        (UnknownHost("no such host"), 1, OutcomeKind.FAILED, {"claim": 20, "complete": 20}),
        (BrowserCrashed("crashed"), 5, OutcomeKind.FAILED, {"claim": 20, "complete": 20}),
    ],
    ids=["retried", "failed", "failed at the last receive"],
)
def test_a_capture_that_fails_tells_what_it_cost(
    slow_cloud: Cloud,
    clock: FakeClock,
    error: Exception,
    receive_count: int,
    kind: OutcomeKind,
    calls: dict[str, int],
) -> None:
    # Given / When a render that ends with an error
    outcome = deliver(slow_cloud, clock, error, receive_count=receive_count)
    # Then its calls are timed, and the whole delivery is charged for
    wire = outcome.to_wire()
    assert (outcome.kind, wire["awsMs"]) == (kind, calls)
    assert wire["billedMs"] == wire["durationMs"] == 1000 * RENDER_SECONDS + sum(calls.values())
    assert 0 < wire["estimatedUsd"]["arm64"] < wire["estimatedUsd"]["x86"]


def test_a_delivery_without_a_render_is_charged_for_its_calls(slow_cloud: Cloud, clock: FakeClock) -> None:
    # Given a capture
    deliver(slow_cloud, clock)
    # When a duplicate and an invalid message arrive
    duplicate = deliver(slow_cloud, clock, message_id="m-2").to_wire()
    invalid = deliver(slow_cloud, clock, body="no request").to_wire()
    # Then each is charged for its one call
    assert (duplicate["awsMs"], duplicate["billedMs"]) == ({"claim": 20}, 20)
    assert (invalid["awsMs"], invalid["billedMs"]) == ({"deadLetterQueue": 70}, 70)
    assert duplicate["estimatedUsd"]["arm64"] > 0


def test_an_adopted_image_was_looked_for_and_not_stored(slow_cloud: Cloud, clock: FakeClock) -> None:
    # Given a worker that died after it had stored its image
    with dying_before_completion():
        deliver(slow_cloud, clock)
    clock.advance(100)
    # When the next one takes its claim over
    outcome = deliver(slow_cloud, clock, receive_count=2)
    # Then it spent its time looking for the image
    assert outcome.to_wire()["awsMs"] == {"claim": 20, "find": 100, "complete": 20}


def test_the_record_has_what_the_capture_cost_until_it_was_completed(slow_cloud: Cloud, clock: FakeClock) -> None:
    outcome = deliver(slow_cloud, clock)
    record = slow_cloud.record("page-1")
    assert outcome.cost is not None
    # Completing it is not in it: that is the call that writes it.
    assert record.billed_ms == outcome.cost.billed_ms - 20
