"""How many messages a queue holds, and for how long it keeps them."""

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
# Counts are approximate anyway; asking more often would only cost calls.
FRESH_SECONDS = 2.0


def message_counts(clients: Clients, queue_url: str) -> tuple[int, int, int]:
    """Messages that are visible, in flight, delayed. Approximate on AWS, as the names say."""
    attributes: Any = clients.sqs.get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=list(COUNTS),  # type: ignore[arg-type]
    )["Attributes"]
    visible, in_flight, delayed = (int(attributes[name]) for name in COUNTS)
    return visible, in_flight, delayed


class Backlog:
    """What the queue and its dead-letter queue hold, asked again when it is older than a moment."""

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings
        self._asked_at = float("-inf")
        attributes = clients.sqs.get_queue_attributes(
            QueueUrl=settings.queue_url, AttributeNames=["MessageRetentionPeriod"]
        )["Attributes"]
        self.retention_seconds = int(attributes["MessageRetentionPeriod"])
        self.pending = 0
        self.dead_letters = 0
        self.refresh()

    def refresh(self) -> None:
        """Ask again, unless that was just done."""
        if time.monotonic() - self._asked_at < FRESH_SECONDS:
            return
        self.pending = sum(message_counts(self._clients, self._settings.queue_url))
        self.dead_letters = sum(message_counts(self._clients, self._settings.dead_letter_queue_url))
        self._asked_at = time.monotonic()
