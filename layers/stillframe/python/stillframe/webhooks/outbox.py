"""Where webhook messages begin: the events that somebody wants to be told of, onto the webhook queue."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from stillframe.aws_errors import translated_errors
from stillframe.errors import TransientError
from stillframe.events import Event
from stillframe.request.envelope import DeploymentWebhook
from stillframe.webhooks.message import WebhookMessage

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = logging.getLogger("stillframe.notifier")


class WebhookOutbox:
    """Sends a message for each event and each webhook that wants it: the request's own, and the deployment's."""

    def __init__(self, client: SQSClient, queue_url: str, of_deployment: DeploymentWebhook | None = None) -> None:
        self._client = client
        self._queue_url = queue_url
        self._of_deployment = of_deployment

    def send(self, events: Sequence[Event]) -> set[str]:
        """Send what these events call for. Returns the ids of those of which not every message was sent.

        An event that comes again is sent again, with the same id.
        """
        return {event.id for event in events if not self._send(event)}

    def _send(self, event: Event) -> bool:
        try:
            for message in self.messages(event):
                with translated_errors("webhook queue"):
                    self._client.send_message(
                        QueueUrl=self._queue_url, MessageBody=message.to_body(), **_group_of(message)
                    )
        except TransientError as error:
            logger.error("the webhook queue does not take an event", extra={"eventId": event.id, "reason": str(error)})
            return False
        return True

    def messages(self, event: Event) -> Iterator[WebhookMessage]:
        """The messages of one event. A URL that is named twice is told once."""
        for url in dict.fromkeys(_urls(event, (event.subject.webhook, self._of_deployment))):
            yield WebhookMessage.of(event, url)


def _urls(event: Event, webhooks: Iterable[DeploymentWebhook | None]) -> Iterator[str]:
    for webhook in webhooks:
        if webhook is not None and event.kind in webhook.events:
            yield webhook.url


def _group_of(message: WebhookMessage) -> dict[str, Any]:
    """The tenant's, so that one whose receivers are slow delays no other ("Amazon SQS fair queues")."""
    return {"MessageGroupId": message.tenant} if message.tenant else {}
