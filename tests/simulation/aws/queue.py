"""SQS: standard queues with visibility timeouts, receive counts and dead-letter queues.

Amazon SQS Developer Guide, "Visibility timeout", "At-least-once delivery" and "Dead-letter queues".
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .errors import client_error


@dataclass
class StoredMessage:
    """A message on a queue. `handle` is the receipt handle of its newest delivery."""

    message_id: str
    body: str
    attributes: dict[str, Any]
    sent_ms: int
    visible_ms: int
    receive_count: int = 0
    handle: str = ""


@dataclass
class SimulatedQueue:
    """One standard queue."""

    url: str
    visibility_seconds: int = 30
    max_receive_count: int = 0
    dead_letters: SimulatedQueue | None = None
    messages: dict[str, StoredMessage] = field(default_factory=dict)


@dataclass
class QueueWatcher:
    """Callbacks for changes; each may be replaced."""

    accepted: Callable[[SimulatedQueue, StoredMessage], None] = lambda queue, message: None
    # Called when a message was sent, received or delayed: it becomes visible at `visible_ms`.
    timed: Callable[[SimulatedQueue, StoredMessage], None] = lambda queue, message: None
    deleted: Callable[[SimulatedQueue, StoredMessage], None] = lambda queue, message: None
    dead_lettered: Callable[[SimulatedQueue, StoredMessage], None] = lambda queue, message: None


class SimulatedSqs:
    """The client of all queues. With an `rng`, delivery is out of order, as standard queues allow."""

    def __init__(
        self, now_ms: Callable[[], int], queues: list[SimulatedQueue], rng: random.Random | None = None
    ) -> None:
        self._now_ms = now_ms
        self._queues = {queue.url: queue for queue in queues}
        self._rng = rng
        self._numbers = itertools.count(1)
        self.watcher = QueueWatcher()

    def send_message(
        self,
        *,
        QueueUrl: str,
        MessageBody: str,
        MessageAttributes: dict[str, Any] | None = None,
        DelaySeconds: int = 0,
    ) -> dict[str, Any]:
        now, queue = self._now_ms(), self._queues[QueueUrl]
        visible_ms = now + DelaySeconds * 1000
        message = StoredMessage(f"m{next(self._numbers)}", MessageBody, MessageAttributes or {}, now, visible_ms)
        queue.messages[message.message_id] = message
        self.watcher.accepted(queue, message)
        self.watcher.timed(queue, message)
        return {"MessageId": message.message_id}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        sent = []
        for entry in Entries:
            answer = self.send_message(QueueUrl=QueueUrl, MessageBody=entry["MessageBody"])
            sent.append({"Id": entry["Id"], "MessageId": answer["MessageId"]})
        return {"Successful": sent}

    def receive_message(
        self,
        *,
        QueueUrl: str,
        MaxNumberOfMessages: int = 1,
        VisibilityTimeout: int | None = None,
        WaitTimeSeconds: int = 0,
        MessageSystemAttributeNames: list[str] | None = None,
        MessageAttributeNames: list[str] | None = None,
    ) -> dict[str, Any]:
        now, queue = self._now_ms(), self._queues[QueueUrl]
        seconds = queue.visibility_seconds if VisibilityTimeout is None else VisibilityTimeout
        visible = [message for message in queue.messages.values() if message.visible_ms <= now]
        if self._rng is not None:
            self._rng.shuffle(visible)
        received: list[dict[str, Any]] = []
        for message in visible:
            if queue.dead_letters is not None and message.receive_count >= queue.max_receive_count:
                self._move_to_dead_letters(queue, message)
            elif len(received) < MaxNumberOfMessages:
                message.visible_ms = now + seconds * 1000
                received.append(self.deliver(queue, message))
        return {"Messages": received} if received else {}

    def deliver(self, queue: SimulatedQueue, message: StoredMessage) -> dict[str, Any]:
        """Deliver the message. At-least-once delivery permits another one while this one is in flight."""
        message.receive_count += 1
        message.handle = f"{message.message_id}/{message.receive_count}"
        self.watcher.timed(queue, message)
        return {
            "MessageId": message.message_id,
            "ReceiptHandle": message.handle,
            "Body": message.body,
            "Attributes": {
                "ApproximateReceiveCount": str(message.receive_count),
                "SentTimestamp": str(message.sent_ms),
            },
            "MessageAttributes": message.attributes,
        }

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> dict[str, Any]:
        """Delete the message. An outdated handle succeeds without deleting it (SQS API reference, DeleteMessage)."""
        queue = self._queues[QueueUrl]
        message = queue.messages.get(ReceiptHandle.partition("/")[0])
        if message is not None and message.handle == ReceiptHandle:
            del queue.messages[message.message_id]
            self.watcher.deleted(queue, message)
        return {}

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> dict[str, Any]:
        queue = self._queues[QueueUrl]
        message = queue.messages.get(ReceiptHandle.partition("/")[0])
        if message is None or message.handle != ReceiptHandle:
            raise client_error("ChangeMessageVisibility", "InvalidParameterValue", 400, "the receipt handle is stale")
        if message.visible_ms <= self._now_ms():
            raise client_error("ChangeMessageVisibility", "MessageNotInflight", 400)
        message.visible_ms = self._now_ms() + VisibilityTimeout * 1000
        self.watcher.timed(queue, message)
        return {}

    def _move_to_dead_letters(self, queue: SimulatedQueue, message: StoredMessage) -> None:
        assert queue.dead_letters is not None
        del queue.messages[message.message_id]
        moved = StoredMessage(message.message_id, message.body, message.attributes, message.sent_ms, self._now_ms())
        queue.dead_letters.messages[moved.message_id] = moved
        self.watcher.dead_lettered(queue, message)
