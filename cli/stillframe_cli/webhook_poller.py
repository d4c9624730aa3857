"""Does what the event source mapping of webhooks does for Lambda, on this machine."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any, Protocol, cast

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.clients import Clients
from stillframe.settings import Settings
from stillframe_webhooks.handler import WebhookHandler

from .poller import Message, record_of

logger = logging.getLogger(__name__)

BATCH_SIZE = 10
WAIT_SECONDS = 1
RETRY_SECONDS = 1.0
# As many batches at once as in Lambda (the event source mapping of stacks/webhooks.py).
MAX_CONCURRENCY = 10
# An attempt may take 15 s; what is not tried by then is tried after the next start.
JOIN_SECONDS = 5.0
# The handler does not read it.
QUEUE_ARN = "arn:aws:sqs:local:000000000000:webhooks"


class BatchHandler(Protocol):
    """The function: it answers an event with the messages that must come again."""

    def handle(self, event: dict[str, Any], /) -> dict[str, Any]:
        """Whatever it raises brings all of them again."""


class WebhookPoller:
    """Receives webhook messages, has them tried, and deletes those that are done with."""

    def __init__(self, clients: Clients, settings: Settings, handler: BatchHandler) -> None:
        self._sqs = clients.sqs
        self._queue_url = settings.webhook_queue_url
        self._handler = handler

    def poll(self, wait_seconds: int = WAIT_SECONDS) -> int:
        """Try one batch. Returns the number of messages. Raises ClientError or BotoCoreError."""
        messages = self._receive(wait_seconds)
        if messages:
            self._try(messages)
        return len(messages)

    def run(self, stop: threading.Event) -> None:
        """Poll until told to stop, and try several batches at once, as Lambda does: a receiver may be slow.

        Whatever a batch meets, its messages come again, and the others go on.
        """
        room = threading.BoundedSemaphore(MAX_CONCURRENCY)
        trying: list[threading.Thread] = []
        while not stop.is_set():
            room.acquire()
            messages = self._received(stop)
            if not messages:
                room.release()
                continue
            thread = threading.Thread(target=self._try_beside, args=(messages, room), name="webhook-batch", daemon=True)
            trying = [*(each for each in trying if each.is_alive()), thread]
            thread.start()
        ends_at = time.monotonic() + JOIN_SECONDS
        for thread in trying:
            thread.join(max(0.0, ends_at - time.monotonic()))

    def _received(self, stop: threading.Event) -> list[Message]:
        try:
            return self._receive(WAIT_SECONDS)
        except (ClientError, BotoCoreError) as error:
            logger.warning("webhooks wait", extra={"error": str(error)})
            stop.wait(RETRY_SECONDS)
            return []

    def _try_beside(self, messages: list[Message], room: threading.Semaphore) -> None:
        try:
            self._try(messages)
        except (ClientError, BotoCoreError) as error:
            logger.warning("webhooks wait", extra={"error": str(error)})
        except Exception:
            logger.exception("webhooks met an unexpected error")
        finally:
            room.release()

    def _receive(self, wait_seconds: int) -> list[Message]:
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=BATCH_SIZE,
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return [cast(Message, message) for message in answer.get("Messages", [])]

    def _try(self, messages: list[Message]) -> None:
        response = self._handler.handle({"Records": [record_of(message, QUEUE_ARN) for message in messages]})
        kept = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        for message in messages:
            if message["MessageId"] not in kept:
                self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])


@contextlib.contextmanager
def delivering_webhooks(clients: Clients, settings: Settings) -> Iterator[None]:
    """Try webhook messages in a thread until the block ends."""
    poller = WebhookPoller(clients, settings, WebhookHandler.build(settings, clients))
    stop = threading.Event()
    thread = threading.Thread(target=poller.run, args=(stop,), name="webhooks", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(JOIN_SECONDS)
