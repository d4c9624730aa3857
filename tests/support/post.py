"""The webhook half of a deployment in the emulator: its queue, its secret and its function."""

from __future__ import annotations

from typing import Any

from stillframe.clients import connect_secrets
from stillframe.events import Event
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.envelope import Webhook
from stillframe.settings import Settings
from stillframe.webhooks.attempts import Attempt, AttemptLog
from stillframe.webhooks.outbox import WebhookOutbox
from stillframe.webhooks.signing import WebhookSecret
from stillframe_cli.webhook_poller import WebhookPoller
from stillframe_cli.webhook_provision import provision_webhooks
from stillframe_webhooks.handler import WebhookHandler
from stillframe_webhooks.pauses import Pauses
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, message

URL = "https://example.com/"
FAST = Pauses((1, 1, 1), max_age_seconds=1e12)


class Post:
    """Sends and tries webhook messages, as the deployed parts do."""

    def __init__(self, cloud: Cloud, **settings: str) -> None:
        names = provision_webhooks(cloud.clients, cloud.settings.table_name)
        self.cloud = cloud
        self.settings = Settings.from_environment(**{**cloud.exports, **names, **settings})
        self.secret = WebhookSecret(connect_secrets, self.settings.webhook_secret_arn)
        self.outbox = WebhookOutbox(cloud.clients.sqs, self.settings.webhook_queue_url, self.settings.webhook)
        self.handler = WebhookHandler.build(self.settings, cloud.clients, FAST)

    def key_of(self, tenant: str | None = None) -> str:
        return self.secret.keys().secrets_of(tenant)[0]

    def allow(self, *hosts: str, pauses: Pauses = FAST) -> None:
        allowed = self.settings.model_copy(update={"allow_hosts": hosts})
        self.handler = WebhookHandler.build(allowed, self.cloud.clients, pauses)

    def deliver(self, wait: int = 0) -> int:
        """Do what Lambda does with one batch. Returns the number of messages."""
        return WebhookPoller(self.cloud.clients, self.settings, self.handler).poll(wait)

    def letters(self) -> list[dict[str, Any]]:
        return self.cloud.receive(queue_url=self.settings.webhook_dead_letter_queue_url, wait=0)

    def attempts(self, screenshot_id: str) -> list[Attempt]:
        return AttemptLog(self.cloud.table, 1000, FakeClock()).read(screenshot_id)


def captured(cloud: Cloud, request: CaptureRequest) -> Event:
    """The event of a request that was captured."""
    cloud.send(request)
    capture_with(cloud.clients, cloud.settings, FakeRenderer(), FakeClock()).process(message(request), FakeContext())
    item = cloud.clients.dynamodb.get_item(TableName=cloud.settings.table_name, Key={"id": {"S": request.id}})["Item"]
    return Event.of_change(None, item)[0]


def request_with(url: str, **values: Any) -> CaptureRequest:
    return CaptureRequest(url=URL, request_id="order-42", webhook=Webhook(url=url), **values)
