"""How a notifier is wired, once: for the function, for `stillframe serve`, and for tests that replace a part of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillframe.clients import EventBusClient
from stillframe.settings import Settings
from stillframe.webhooks.outbox import WebhookOutbox

from .change import Change, Unreadable
from .event_bus import EventBus
from .notifier import Notifier
from .sink import Sink

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class FailureQueue:
    """Takes changes that cannot be read, beside what Lambda itself puts there."""

    def __init__(self, sqs: SQSClient, url: str) -> None:
        """Without a `url` it takes nothing, and the log has to do."""
        self._sqs = sqs
        self._url = url

    def __call__(self, change: Change, error: Unreadable) -> None:
        """Send the change's key and the reason. Raises ClientError or BotoCoreError."""
        if self._url:
            body = {"keys": change.keys, "sequenceNumber": change.position, "reason": str(error)}
            self._sqs.send_message(QueueUrl=self._url, MessageBody=json.dumps(body))


@dataclass(frozen=True, kw_only=True)
class NotifierParts:
    """The classes that a notifier consists of."""

    notifier: type[Notifier] = Notifier
    event_bus: type[EventBus] = EventBus
    failures: type[FailureQueue] = FailureQueue


def wire_notifier(
    settings: Settings, event_bus: EventBusClient, sqs: SQSClient, *, parts: NotifierParts | None = None
) -> Notifier:
    """The notifier of a deployment, with every sink that it has. Nothing is contacted yet."""
    parts = parts or NotifierParts()
    sinks: list[Sink] = [parts.event_bus(event_bus, settings.event_bus, settings.service)]
    if settings.webhook_queue_url:
        sinks.append(WebhookOutbox(sqs, settings.webhook_queue_url, settings.webhook))
    return parts.notifier(sinks, parts.failures(sqs, settings.event_failures_url))
