"""Creates the webhook queue, its dead-letter queue and the secret in the embedded environment."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from stillframe.clients import Clients, connect_secrets
from stillframe.webhooks.signing import WebhookKeys

from .provision import DAY_SECONDS, DEFAULT_NAME, create_queue

# As the stack deploys them: longer than an attempt, and longer than three days of attempts.
VISIBILITY_SECONDS = 60
RETENTION_DAYS = 5
# An attempt gives up by itself long before; this is for messages that crash their sender.
MAX_RECEIVE_COUNT = 30


def provision_webhooks(
    clients: Clients, name: str = DEFAULT_NAME, visibility_seconds: int = VISIBILITY_SECONDS
) -> dict[str, str]:
    """Create what is missing. Returns the environment variables that name it. Idempotent."""
    letters_url = create_queue(
        clients, f"{name}-webhooks-dead-letters", {"MessageRetentionPeriod": str(14 * DAY_SECONDS)}
    )
    answer = clients.sqs.get_queue_attributes(QueueUrl=letters_url, AttributeNames=["QueueArn"])
    redrive = {"deadLetterTargetArn": answer["Attributes"]["QueueArn"], "maxReceiveCount": MAX_RECEIVE_COUNT}
    queue_url = create_queue(
        clients,
        f"{name}-webhooks",
        {
            "MessageRetentionPeriod": str(RETENTION_DAYS * DAY_SECONDS),
            "VisibilityTimeout": str(visibility_seconds),
            "RedrivePolicy": json.dumps(redrive),
        },
    )
    return {
        "WEBHOOK_QUEUE_URL": queue_url,
        "WEBHOOK_DEAD_LETTER_QUEUE_URL": letters_url,
        "WEBHOOK_SECRET_ARN": _create_secret(f"{name}-webhooks"),
    }


def _create_secret(name: str) -> str:
    client: Any = connect_secrets()
    try:
        answer = client.create_secret(Name=name, SecretString=WebhookKeys.create().model_dump_json())
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceExistsException":
            raise
        answer = client.describe_secret(SecretId=name)
    return str(answer["ARN"])
