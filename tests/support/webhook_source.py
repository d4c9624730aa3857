"""The event source of webhooks and its function in one process: it receives and deletes with the function's role.

"Using Lambda with Amazon SQS", execution role permissions. Run it with `python -m`.
"""

from __future__ import annotations

from stillframe.clients import Clients
from stillframe.settings import Settings
from stillframe_cli.webhook_poller import WebhookPoller
from stillframe_webhooks.handler import WebhookHandler


def main() -> None:
    """Try everything that is on the queue, once."""
    settings, clients = Settings.from_environment(), Clients.connect()
    # Lambda itself asks for the queue's settings.
    clients.sqs.get_queue_attributes(QueueUrl=settings.webhook_queue_url, AttributeNames=["VisibilityTimeout"])
    poller = WebhookPoller(clients, settings, WebhookHandler.build(settings, clients))
    while poller.poll():
        pass


if __name__ == "__main__":
    main()
