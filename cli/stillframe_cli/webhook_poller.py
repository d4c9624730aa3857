"""Does what the event source mapping of webhooks does for Lambda, on this machine."""

from __future__ import annotations

import contextlib
import logging
import threading
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
        answer = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=BATCH_SIZE,
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages = [cast(Message, message) for message in answer.get("Messages", [])]
        if not messages:
            return 0
        response = self._handler.handle({"Records": [record_of(message, QUEUE_ARN) for message in messages]})
        kept = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        for message in messages:
            if message["MessageId"] not in kept:
                self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])
        return len(messages)

    def run(self, stop: threading.Event) -> None:
        """Poll until told to stop. A call to AWS that fails is repeated."""
        while not stop.is_set():
            try:
                self.poll()
            except (ClientError, BotoCoreError) as error:
                logger.warning("webhooks wait", extra={"error": str(error)})
                stop.wait(RETRY_SECONDS)


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
