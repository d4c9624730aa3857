"""An event source and its function in one process: it receives with the function's role, as that of Lambda does.

"Using Lambda with Amazon SQS", execution role permissions: the mapping calls ReceiveMessage, DeleteMessage and
GetQueueAttributes. Run it with `python -m`; it ends on SIGTERM.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from stillframe.request.event_record import record_attributes
from stillframe_renderer.handler import handler, worker

logger = logging.getLogger(__name__)

BATCH_SIZE = 10


class Context:
    """The context of an invocation."""

    function_name = "renderer"
    function_version = "$LATEST"
    memory_limit_in_mb = 2048
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:renderer"
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def run(queue_url: str, stop: threading.Event) -> None:
    """Deliver batches to the handler until `stop` is set."""
    client: Any = boto3.client("sqs")
    attributes = client.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
    while not stop.is_set():
        try:
            _deliver(client, queue_url, attributes["QueueArn"])
        except (BotoCoreError, ClientError):
            # Lambda's pollers go on, and what was not deleted comes again.
            logger.exception("could not receive or delete")


def _deliver(client: Any, queue_url: str, queue_arn: str) -> None:
    answer = client.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=BATCH_SIZE,
        WaitTimeSeconds=1,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    messages = answer.get("Messages", [])
    if not messages:
        return
    event = {"Records": [_record(message, queue_arn) for message in messages]}
    context: Any = Context()
    kept = {failure["itemIdentifier"] for failure in handler(event, context)["batchItemFailures"]}
    for message in messages:
        if message["MessageId"] not in kept:
            client.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])


def _record(message: dict[str, Any], queue_arn: str) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": record_attributes(message.get("MessageAttributes", {})),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def main() -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        run(os.environ["QUEUE_URL"], stop)
    finally:
        worker()[1].close()


if __name__ == "__main__":
    main()
