"""The Lambda handler of webhooks. The process is wired at the first invocation."""

from __future__ import annotations

import functools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools import Logger

from stillframe.clients import Clients, connect_secrets
from stillframe.clock import Clock, SystemClock
from stillframe.queue import CaptureQueue
from stillframe.request.event_record import read_record
from stillframe.settings import Settings, SettingsError
from stillframe.table.table import Table
from stillframe.webhooks.attempts import AttemptLog
from stillframe.webhooks.signing import WebhookSecret

from .endpoint import Endpoint
from .pauses import Pauses
from .sender import WebhookSender

Batch = dict[str, Any]


class WebhookHandler:
    """Tries every message of a batch at once, and reports those that must come again."""

    def __init__(self, sender: WebhookSender, clock: Clock) -> None:
        self._sender = sender
        self._clock = clock

    def handle(self, event: Batch, _context: Any = None) -> Batch:
        """The answer is that of partial batch responses (AWS Lambda, "Handling errors for an SQS event source")."""
        messages = [read_record(record, self._clock.now_ms()) for record in event["Records"]]
        with ThreadPoolExecutor(max(1, len(messages))) as pool:
            done = list(pool.map(self._sender.process, messages))
        kept = [message.message_id for message, is_done in zip(messages, done, strict=True) if not is_done]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in kept]}

    @classmethod
    def build(cls, settings: Settings, clients: Clients, pauses: Pauses | None = None) -> WebhookHandler:
        """Raises SettingsError if the environment does not name queue, dead-letter queue and secret of webhooks."""
        queue_url, letters_url = settings.webhook_queue_url, settings.webhook_dead_letter_queue_url
        if not (queue_url and letters_url and settings.webhook_secret_arn):
            raise SettingsError(
                "environment: WEBHOOK_QUEUE_URL, WEBHOOK_DEAD_LETTER_QUEUE_URL and WEBHOOK_SECRET_ARN must be set"
            )
        clock = SystemClock()
        sender = WebhookSender(
            CaptureQueue(clients.sqs, queue_url, letters_url),
            Endpoint(settings.egress_policy),
            WebhookSecret(connect_secrets, settings.webhook_secret_arn).keys,
            AttemptLog(Table(clients.dynamodb, settings.table_name), settings.record_retention_seconds, clock),
            clock,
            pauses,
        )
        return cls(sender, clock)


def handler(event: Batch, context: Any) -> Batch:
    """Try the messages of one event of the webhook queue."""
    return _handler().handle(event, context)


@functools.cache
def _handler() -> WebhookHandler:
    settings = Settings.from_environment()
    Logger(service="stillframe", level=settings.log_level.upper(), utc=True, use_rfc3339=True)
    return WebhookHandler.build(settings, Clients.connect())
