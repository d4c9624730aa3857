"""Dead letters and copies at the limits of SQS, which the emulator does not enforce."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.outcome import OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.message import string_attributes
from stillframe.request.message_limits import MAX_ATTRIBUTES, MAX_MESSAGE_BYTES, free_bytes
from stillframe_cli.dead_letters import DeadLetters
from stillframe_cli.redriver import Redriver
from tests.conftest import MakeCloud
from tests.simulation.aws.errors import client_error
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, message

REQUEST = CaptureRequest(url="https://example.com/", request_id="page-1")


@pytest.fixture
def strict_cloud(make_cloud: MakeCloud) -> Cloud:
    """A queue that refuses what SQS refuses (Amazon SQS Developer Guide, "Message quotas")."""
    cloud = make_cloud(STILLFRAME_PER_HOST="1")
    events = cloud.clients.sqs.meta.events
    events.register("provide-client-params.sqs.SendMessage", refuse_beyond_the_limits)
    return cloud


def refuse_beyond_the_limits(params: dict[str, Any], **_: Any) -> None:
    attributes = params.get("MessageAttributes", {})
    if len(attributes) > MAX_ATTRIBUTES or free_bytes(params["MessageBody"], attributes) < 0:
        raise client_error("SendMessage", "InvalidParameterValue", 400, "must be shorter than 1048576 bytes")


def bury(cloud: Cloud, body: str, attributes: dict[str, Any] | None = None) -> str:
    """Put a message into the dead-letter queue, as SQS itself does it; returns its id."""
    # SQS moves a message with all that it had; only who sends one is bound by the limits of the copy.
    url = cloud.settings.dead_letter_queue_url
    return cloud.clients.sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes or {})[
        "MessageId"
    ]


def test_redrive_moves_every_letter_that_sqs_accepts_and_names_the_others(strict_cloud: Cloud) -> None:
    # Given an ordinary letter, one with ten attributes, and one that has no room for the mark of a redrive
    cloud, dead = strict_cloud, strict_cloud.settings.dead_letter_queue_url
    ten = string_attributes({f"h{number}": "value" for number in range(MAX_ATTRIBUTES)})
    ordinary, full = bury(cloud, REQUEST.to_body()), bury(cloud, REQUEST.to_body(), ten)
    huge = bury(cloud, "x" * MAX_MESSAGE_BYTES)
    lines: list[str] = []
    # When they are redriven
    result = Redriver(cloud.clients, cloud.settings).redrive(report=lines.append)
    # Then the first two are on the queue, the second without its last attribute
    assert (result.moved, result.kept, result.refused) == (2, 0, 1)
    moved = {each["MessageAttributes"]["redrivenFrom"]["StringValue"]: each for each in cloud.receive()}
    assert moved.keys() == {ordinary, full}
    assert moved[full]["MessageAttributes"].keys() == {"redrivenFrom", *(f"h{number}" for number in range(9))}
    # And the third is named and still there
    assert [line for line in lines if huge in line and "cannot be moved" in line] != []
    assert any(line.endswith(f"{full}, without h9") for line in lines)
    counts = cloud.clients.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessagesNotVisible"] == "1"


def test_redrive_goes_on_after_a_letter_that_sqs_refuses(cloud: Cloud) -> None:
    # Given a queue that refuses one of three letters for a reason of its own
    ids = [bury(cloud, CaptureRequest(url="https://example.com/", request_id=name).to_body()) for name in "abc"]

    def refuse_b(params: dict[str, Any], **_: Any) -> None:
        if '"b"' in params["MessageBody"]:
            raise client_error("SendMessage", "InvalidMessageContents", 400, "an invalid character")

    cloud.clients.sqs.meta.events.register("provide-client-params.sqs.SendMessage", refuse_b)
    lines: list[str] = []
    # When they are redriven, then the other two are moved, and that one is named with what SQS says
    result = Redriver(cloud.clients, cloud.settings).redrive(report=lines.append)
    assert (result.moved, result.refused) == (2, 1)
    assert f"{ids[1]} cannot be moved: SQS refuses it: an invalid character" in lines


@pytest.mark.parametrize("size", [MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES - 200, 100])
def test_a_large_invalid_message_becomes_a_dead_letter_with_its_reason(strict_cloud: Cloud, size: int) -> None:
    # Given an invalid message of a size up to the limit
    worker = capture_with(strict_cloud.clients, strict_cloud.settings, FakeRenderer(), FakeClock())
    # When it is processed
    outcome = worker.process(message("x" * size), FakeContext())
    # Then it is in the dead-letter queue with its reason, and acknowledged
    (letter,) = strict_cloud.dead_letters()
    assert (outcome.kind, outcome.reason, outcome.acknowledge) == (OutcomeKind.FAILED, "UNPARSABLE_BODY", True)
    assert letter["MessageAttributes"]["errorCode"]["StringValue"] == "UNPARSABLE_BODY"


def test_a_message_without_room_for_a_copy_waits_for_its_host_on_the_queue(strict_cloud: Cloud) -> None:
    # Given a request as large as a message, and a host whose only slot is taken
    clock = FakeClock()
    small = REQUEST.model_copy(update={"request_id": "large", "metadata": {}})
    padding = MAX_MESSAGE_BYTES - len(small.to_body().encode()) - len('"html": ""')
    large = small.model_copy(update={"options": {"html": "x" * padding}})
    assert MAX_MESSAGE_BYTES - 10 < len(large.to_body().encode()) <= MAX_MESSAGE_BYTES
    seen = []

    def deliver_the_large_one() -> None:
        worker = capture_with(strict_cloud.clients, strict_cloud.settings, FakeRenderer(), clock, "worker-2")
        seen.append(worker.process(message(large, "m-large"), FakeContext()))

    worker = capture_with(strict_cloud.clients, strict_cloud.settings, FakeRenderer(deliver_the_large_one), clock)
    # When it is delivered meanwhile
    worker.process(message(REQUEST), FakeContext())
    # Then it is handed back, neither lost nor an error of AWS
    assert (seen[0].kind, seen[0].reason, seen[0].acknowledge) == (OutcomeKind.RETRY, "HOST_BUSY", False)


def test_dead_letters_are_listed_with_their_reasons(cloud: Cloud) -> None:
    # Given a letter with a reason of its own, one whose record has the reason, and one without any
    clock = FakeClock()
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock)
    worker.process(message("no request"), FakeContext())

    def fail() -> None:
        raise TimeoutError("too slow")

    failing = capture_with(cloud.clients, cloud.settings, FakeRenderer(fail), clock)
    failing.process(message(REQUEST, receive_count=5), FakeContext())
    bury(cloud, REQUEST.to_body())
    bury(cloud, CaptureRequest(url="https://user:secret@example.com/", request_id="new").to_body())
    # When they are listed
    letters = {letter.id: letter for letter in DeadLetters(cloud.clients, cloud.settings).read_all()}
    # Then each has its reason, and none has a password
    assert {name: (each.error_code, each.is_redrivable) for name, each in letters.items()} == {
        None: ("UNPARSABLE_BODY", False),
        "page-1": ("UNEXPECTED", True),
        "new": (None, True),
    }
    assert letters["new"].url == "https://example.com/"
    # And all of them are still there, for a redrive that follows at once
    assert Redriver(cloud.clients, cloud.settings).redrive().moved == 2
