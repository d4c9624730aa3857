"""What is the worker's own fault costs no message a receive, and is never the failure of a screenshot."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace

import pytest

from stillframe.errors import BrowserUnavailable, CaptureTimeout, ServiceUnavailable
from stillframe.outcome import OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.message import Message
from stillframe.table.record import Status
from stillframe_cli.redriver import Redriver
from stillframe_renderer.message.capture import MAX_SPARED
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with

REQUEST = CaptureRequest(url="https://example.com/", request_id="page-1")
FAULTS: list[Exception] = [
    BrowserUnavailable("no browser"),
    ServiceUnavailable("put object: AccessDenied"),
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EMFILE, "Too many open files"),
    MemoryError(),
    RuntimeError("can't start new thread"),
]


def raising(error: Exception) -> Callable[[], None]:
    def during() -> None:
        raise error

    return during


def receive(cloud: Cloud, clock: FakeClock, wait: int = 5) -> Message:
    """The next delivery, as a worker sees it."""
    (raw,) = cloud.receive(1, wait=wait)
    attributes = {name: each["StringValue"] for name, each in raw.get("MessageAttributes", {}).items()}
    return Message.received(
        body=raw["Body"],
        message_id=raw["MessageId"],
        receipt_handle=raw["ReceiptHandle"],
        receive_count=int(raw["Attributes"]["ApproximateReceiveCount"]),
        sent_at_ms=clock.ms,
        received_at_ms=clock.ms,
        attributes=attributes,
    )


@pytest.fixture
def last_chance(make_cloud: MakeCloud) -> Cloud:
    """A queue that gives each message one receive."""
    quick = {"STILLFRAME_BACKOFF_BASE_SECONDS": "1", "STILLFRAME_BACKOFF_CAP_SECONDS": "1"}
    return make_cloud(visibility=30, max_receive_count=1, **quick)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{type(fault).__name__}-{fault}"[:40])
def test_a_fault_at_the_last_receive_costs_the_message_nothing(
    last_chance: Cloud, clock: FakeClock, fault: Exception
) -> None:
    # Given a message at its last receive, and a worker that cannot work
    cloud = last_chance
    cloud.send(REQUEST)
    sick = capture_with(cloud.clients, cloud.settings, FakeRenderer(raising(fault)), clock, "sick")
    delivery = receive(cloud, clock)
    # When it processes the message
    outcome = sick.process(delivery, FakeContext())
    # Then the record has not failed, and the message is replaced by a copy whose receives begin anew
    assert (outcome.kind, outcome.acknowledge) == (OutcomeKind.RETRY, True)
    assert cloud.record("page-1").status is Status.QUEUED
    copy = receive(cloud, clock)
    assert (copy.body, copy.receive_count, copy.spared) == (delivery.body, 1, 1)
    # And a sound worker captures it
    sound = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock, "sound")
    assert sound.process(copy, FakeContext()).kind is OutcomeKind.CAPTURED
    assert cloud.dead_letters() == []


def test_a_message_whose_worker_is_always_at_fault_ends_as_a_dead_letter(last_chance: Cloud, clock: FakeClock) -> None:
    # Given a message that has been spared ten times
    cloud = last_chance
    cloud.send(REQUEST)
    delivery = replace(receive(cloud, clock), spared=MAX_SPARED)
    # When it meets a worker's fault again
    sick = capture_with(cloud.clients, cloud.settings, FakeRenderer(raising(FAULTS[0])), clock)
    outcome = sick.process(delivery, FakeContext())
    # Then it is left for SQS to move to the dead-letter queue, and its record can be captured after a redrive
    assert (outcome.kind, outcome.acknowledge) == (OutcomeKind.RETRY, False)
    assert cloud.record("page-1").status is Status.QUEUED


def test_a_dead_letter_that_waited_can_be_spared_after_a_redrive(last_chance: Cloud, clock: FakeClock) -> None:
    # Given a message that was replaced by a copy, then failed by itself, and was redriven
    cloud = last_chance
    cloud.send(REQUEST)
    sick = capture_with(cloud.clients, cloud.settings, FakeRenderer(raising(FAULTS[0])), clock)
    sick.process(receive(cloud, clock), FakeContext())
    failing = capture_with(cloud.clients, cloud.settings, FakeRenderer(raising(CaptureTimeout("slow"))), clock)
    assert failing.process(replace(receive(cloud, clock), received_before=1), FakeContext()).acknowledge
    assert Redriver(cloud.clients, cloud.settings).redrive().moved == 1
    # When it meets a worker's fault once more, then there is a copy again before the message is acknowledged
    assert sick.process(receive(cloud, clock), FakeContext()).acknowledge
    assert receive(cloud, clock).body == REQUEST.to_body()


def test_a_copy_that_fails_by_itself_becomes_a_dead_letter_at_once(last_chance: Cloud, clock: FakeClock) -> None:
    # Given a copy of a message that has waited for its host: SQS does not know of the receives before it
    cloud = last_chance
    cloud.send(REQUEST)
    copy = replace(receive(cloud, clock), receive_count=2, received_before=1)
    # When its page fails at the last receive
    failing = capture_with(
        cloud.clients,
        cloud.settings.model_copy(update={"max_receive_count": 2}),
        FakeRenderer(raising(CaptureTimeout("slow"))),
        clock,
    )
    outcome = failing.process(copy, FakeContext())
    # Then its record says so, and the worker has moved it to the dead-letter queue, from where it can be redriven
    assert (outcome.kind, outcome.error_code, outcome.acknowledge) == (OutcomeKind.FAILED, "TIMEOUT", True)
    assert cloud.record("page-1").status is Status.FAILED
    assert Redriver(cloud.clients, cloud.settings).redrive().moved == 1


def test_a_queue_without_a_redrive_policy_gets_its_dead_letters_from_the_worker(
    make_cloud: MakeCloud, clock: FakeClock
) -> None:
    # Given a queue that never gives a message up
    cloud = make_cloud(STILLFRAME_HAS_REDRIVE_POLICY="false", STILLFRAME_MAX_RECEIVE_COUNT="1")
    cloud.send(REQUEST)
    failing = capture_with(cloud.clients, cloud.settings, FakeRenderer(raising(CaptureTimeout("slow"))), clock)
    # When its page fails as often as a message may be received
    outcome = failing.process(receive(cloud, clock), FakeContext())
    # Then the message is not rendered for ever, but is a dead letter
    assert (outcome.kind, outcome.acknowledge) == (OutcomeKind.FAILED, True)
    assert [letter["Body"] for letter in cloud.dead_letters()] == [REQUEST.to_body()]
