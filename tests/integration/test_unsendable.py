"""What SQS refuses in a message: a page and a requester choose texts, and must not stop what comes after them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from stillframe.events import Event
from stillframe.intake import Accepted, Intake
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.message_limits import MAX_MESSAGE_BYTES
from stillframe.table.record import Status
from stillframe.webhooks.message import WebhookMessage
from tests.support.cloud import Cloud
from tests.support.post import Post, captured, request_with
from tests.support.receiver import Receiver

# JSON has these characters as they are. SQS refuses them (SendMessage, "MessageBody").
NONCHARACTERS = "\ufffe\uffff"


@pytest.fixture
def event(post: Post, receiver: Receiver) -> Event:
    """An event that a receiver wants to be told of."""
    return captured(post.cloud, request_with(receiver.url()))


def with_title(event: Event, title: str) -> Event:
    """The event of a page with this title."""
    return replace(event, subject=event.subject.model_copy(update={"title": title}))


def test_a_receiver_is_told_of_a_page_whose_title_sqs_would_refuse(
    post: Post, receiver: Receiver, event: Event
) -> None:
    # Given a page that has chosen its title
    title = f"a{NONCHARACTERS}b"
    # When its event is sent
    unsent = post.outbox.send([with_title(event, title)])
    # Then it holds up nothing, and the receiver has the title as it is
    assert unsent == set()
    post.deliver()
    (received,) = receiver.received
    assert received.event is not None
    assert received.event["data"]["title"] == title


@pytest.mark.parametrize("text", ["x", '"', "\x01", "\uffff", "\N{GRINNING FACE}"])
def test_whatever_a_record_says_its_message_fits(post: Post, event: Event, text: str) -> None:
    # Given a record as large as an item may be
    title = text * (390_000 // len(text.encode()))
    # When its event is sent, then SQS takes the message, whose content names what it has cut
    large = with_title(event, title)
    assert post.outbox.send([large]) == set()
    message = WebhookMessage.of(large, "https://hooks.example/")
    assert len(message.to_body().encode()) < MAX_MESSAGE_BYTES
    data = json.loads(message.content)["data"]
    assert data["title"] == title or data["cut"] == ["title"]


def test_a_request_is_accepted_with_texts_that_sqs_would_refuse(cloud: Cloud) -> None:
    # Given a request with such a text
    request = CaptureRequest(url="https://example.com/", request_id="a", metadata={"a": NONCHARACTERS})
    # When it is sent
    (answer,) = Intake(cloud.clients, cloud.settings).accept([request])
    # Then it is accepted, and its message says what it said
    assert isinstance(answer, Accepted)
    assert answer.status is Status.QUEUED
    (message,) = cloud.receive(wait=0)
    assert CaptureRequest.from_body(message["Body"]).metadata == request.metadata
