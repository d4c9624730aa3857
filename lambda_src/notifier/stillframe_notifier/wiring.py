"""How a notifier and a digester are wired: for functions, for `stillframe serve`, and for tests that replace a part."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillframe.archive import Archive
from stillframe.clients import Clients, EventBusClient
from stillframe.clock import Clock, SystemClock
from stillframe.settings import Settings
from stillframe.table.table import Table
from stillframe.watches.history import History
from stillframe.watches.store import WatchStore
from stillframe.watches.told_days import ToldDays
from stillframe.webhooks.outbox import WebhookOutbox

from .change import Change, Unreadable
from .digester import Digester
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
    """The classes that a notifier and a digester consist of."""

    notifier: type[Notifier] = Notifier
    event_bus: type[EventBus] = EventBus
    failures: type[FailureQueue] = FailureQueue
    digester: type[Digester] = Digester
    watches: type[WatchStore] = WatchStore


def wire_notifier(
    settings: Settings, event_bus: EventBusClient, sqs: SQSClient, *, parts: NotifierParts | None = None
) -> Notifier:
    """The notifier of a deployment, with every sink that it has. Nothing is contacted yet."""
    parts = parts or NotifierParts()
    sinks = _sinks(settings, event_bus, sqs, parts)
    return parts.notifier(sinks, parts.failures(sqs, settings.event_failures_url))


def wire_digester(
    settings: Settings,
    event_bus: EventBusClient,
    clients: Clients,
    clock: Clock | None = None,
    *,
    parts: NotifierParts | None = None,
) -> Digester:
    """The digester of a deployment, with the same sinks. Nothing is contacted yet."""
    parts, clock = parts or NotifierParts(), clock or SystemClock()
    told = ToldDays(Table(clients.dynamodb, settings.table_name), settings.record_retention_seconds, clock)
    store = parts.watches(clients, settings, clock)
    history = History(Archive(clients, settings))
    return parts.digester(store, history, told, _sinks(settings, event_bus, clients.sqs, parts), clock)


def _sinks(settings: Settings, event_bus: EventBusClient, sqs: SQSClient, parts: NotifierParts) -> list[Sink]:
    sinks: list[Sink] = [parts.event_bus(event_bus, settings.event_bus, settings.service)]
    if settings.webhook_queue_url:
        sinks.append(WebhookOutbox(sqs, settings.webhook_queue_url, settings.webhook))
    return sinks
