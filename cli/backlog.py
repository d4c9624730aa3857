"""How many messages a queue holds."""

from __future__ import annotations

from typing import Any

from stillframe.clients import Clients

COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def message_counts(clients: Clients, queue_url: str) -> tuple[int, int, int]:
    """Messages that are visible, in flight, delayed. Approximate on AWS, as the names say."""
    attributes: Any = clients.sqs.get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=list(COUNTS),  # type: ignore[arg-type]
    )["Attributes"]
    visible, in_flight, delayed = (int(attributes[name]) for name in COUNTS)
    return visible, in_flight, delayed
