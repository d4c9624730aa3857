"""SQS: visibility, receive counts, dead letters, stale handles (Amazon SQS Developer Guide, API Reference)."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import MAX_RECEIVE_COUNT, VISIBILITY_SECONDS, Services

# Longer than the visibility timeout plus the resolution of an emulator's clock.
LONG_ENOUGH = VISIBILITY_SECONDS + 0.5


class Queue:
    """Shortcuts to the queue under test."""

    def __init__(self, services: Services) -> None:
        self._client = services.clients.sqs
        self._url = services.settings.queue_url
        self._dead_letter_queue_url = services.settings.dead_letter_queue_url
        self.wait = services.wait

    def send(self, body: str, **arguments: Any) -> str:
        return self._client.send_message(QueueUrl=self._url, MessageBody=body, **arguments)["MessageId"]

    def receive(self, count: int = 1) -> list[Any]:
        return self._receive(self._url, count)

    def dead_letters(self) -> list[Any]:
        return self._receive(self._dead_letter_queue_url, 10)

    def delete(self, message: Any) -> None:
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])

    def delay(self, message: Any, seconds: int) -> None:
        handle = message["ReceiptHandle"]
        self._client.change_message_visibility(QueueUrl=self._url, ReceiptHandle=handle, VisibilityTimeout=seconds)

    def _receive(self, url: str, count: int) -> list[Any]:
        answer = self._client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=count,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))


@pytest.fixture
def queue(services: Services) -> Queue:
    return Queue(services)


def test_a_message_in_flight_is_not_visible(queue: Queue) -> None:
    # Given a message that was received
    message_id = queue.send("body")
    (message,) = queue.receive()
    assert (message["MessageId"], message["Body"]) == (message_id, "body")
    # When the queue is received from again, then there is nothing
    assert queue.receive() == []


def test_a_message_is_delivered_again_after_its_visibility_timeout(queue: Queue) -> None:
    # Given a message that was received
    queue.send("body")
    (first,) = queue.receive()
    # When its visibility timeout has passed
    queue.wait(LONG_ENOUGH)
    (second,) = queue.receive()
    # Then it is the same message, with another handle and a higher count
    assert first["MessageId"] == second["MessageId"]
    assert first["ReceiptHandle"] != second["ReceiptHandle"]
    assert [each["Attributes"]["ApproximateReceiveCount"] for each in (first, second)] == ["1", "2"]
    assert first["Attributes"]["SentTimestamp"] == second["Attributes"]["SentTimestamp"]


def test_a_deleted_message_is_not_delivered_again(queue: Queue) -> None:
    queue.send("body")
    (message,) = queue.receive()
    queue.delete(message)
    queue.wait(LONG_ENOUGH)
    assert queue.receive() == []


def test_a_stale_handle_deletes_nothing(queue: Queue) -> None:
    # Given a message that was received twice
    queue.send("body")
    (stale,) = queue.receive()
    queue.wait(LONG_ENOUGH)
    (newest,) = queue.receive()
    # When the first handle is used to delete it (AWS succeeds and does nothing; others refuse)
    with contextlib.suppress(ClientError):
        queue.delete(stale)
    queue.delay(newest, 0)
    # Then it is still there: the newest handle could delay it, and it goes on to the dead-letter queue
    assert queue.receive() == []
    assert [letter["Body"] for letter in queue.dead_letters()] == ["body"]


def test_a_changed_visibility_makes_a_message_visible_earlier_or_later(queue: Queue) -> None:
    # Given two messages that were received
    queue.send("soon")
    queue.send("late")
    messages = {message["Body"]: message for _ in range(2) for message in queue.receive()}
    # When one is delayed by 0 s, and the other by longer than its visibility timeout
    queue.delay(messages["soon"], 0)
    queue.delay(messages["late"], VISIBILITY_SECONDS + 2)
    # Then the first is visible at once
    (again,) = queue.receive()
    assert again["Body"] == "soon"
    queue.delete(again)
    # And the other is not visible when its original timeout would have passed
    queue.wait(LONG_ENOUGH)
    assert queue.receive() == []
    queue.wait(2)
    assert [message["Body"] for message in queue.receive()] == ["late"]


def test_a_message_is_a_dead_letter_after_its_last_receive(queue: Queue) -> None:
    # Given a message with an attribute
    attribute = {"DataType": "String", "StringValue": "UNPARSABLE_BODY"}
    message_id = queue.send("body", MessageAttributes={"errorCode": attribute})
    # When it has been received as often as the queue allows
    for _ in range(MAX_RECEIVE_COUNT):
        assert len(queue.receive()) == 1
        queue.wait(LONG_ENOUGH)
    # Then it is not delivered again, and the dead-letter queue has it with its attribute and id
    assert queue.receive() == []
    (letter,) = queue.dead_letters()
    assert (letter["MessageId"], letter["Body"]) == (message_id, "body")
    assert letter["MessageAttributes"]["errorCode"]["StringValue"] == "UNPARSABLE_BODY"


def test_a_batch_sends_one_message_for_each_entry(services: Services) -> None:
    # Given / When a batch is sent
    queue = Queue(services)
    entries: Any = [{"Id": str(number), "MessageBody": f"body {number}"} for number in range(3)]
    answer = services.clients.sqs.send_message_batch(QueueUrl=services.settings.queue_url, Entries=entries)
    # Then each message has its own id, and can be received
    assert {entry["Id"] for entry in answer["Successful"]} == {"0", "1", "2"}
    assert len({entry["MessageId"] for entry in answer["Successful"]}) == 3
    assert {message["Body"] for _ in range(3) for message in queue.receive(10)} == {"body 0", "body 1", "body 2"}
