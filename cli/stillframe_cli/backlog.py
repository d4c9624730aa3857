"""How many messages the queues hold, and how long they keep them."""

from __future__ import annotations

import time
from typing import Any

from stillframe.clients import Clients
from stillframe.settings import Settings

COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
# The counts are approximate anyway; reading them more often would only cost calls.
FRESH_SECONDS = 2.0


def message_counts(clients: Clients, queue_url: str) -> tuple[int, int, int]:
    """Read how many messages are visible, in flight and delayed. AWS calls these counts approximate."""
    attributes: Any = clients.sqs.get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=list(COUNTS),  # type: ignore[arg-type]
    )["Attributes"]
    visible, in_flight, delayed = (int(attributes[name]) for name in COUNTS)
    return visible, in_flight, delayed


class Backlog:
    """The number of messages on the queue and on its dead-letter queue, at most a few seconds old."""

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings
        self._read_at = float("-inf")
        attributes = clients.sqs.get_queue_attributes(
            QueueUrl=settings.queue_url, AttributeNames=["MessageRetentionPeriod"]
        )["Attributes"]
        self.retention_seconds = int(attributes["MessageRetentionPeriod"])
        self.pending = 0
        self.dead_letters = 0
        self.refresh()

    def refresh(self) -> None:
        """Read the counts again, unless they are fresh."""
        if time.monotonic() - self._read_at < FRESH_SECONDS:
            return
        self.pending = sum(message_counts(self._clients, self._settings.queue_url))
        self.dead_letters = sum(message_counts(self._clients, self._settings.dead_letter_queue_url))
        self._read_at = time.monotonic()
