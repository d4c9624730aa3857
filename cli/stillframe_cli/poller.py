"""What the event source mapping does in Lambda: polls, invokes the handler, deletes what is done."""

from __future__ import annotations

import hashlib
import logging
import time
import uuid
from collections.abc import Callable
from typing import Any, cast

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from stillframe.clients import Clients
from stillframe.settings import Settings

from .backlog import message_counts

logger = logging.getLogger("stillframe.poller")

# As ReceiveMessage gives it.
Message = dict[str, Any]
Handler = Callable[[dict[str, Any], LambdaContext], PartialItemFailureResponse]

# A lease of a long-running worker is never longer than this.
MAX_LEASE_SECONDS = 600
# A batch ends this long before its messages become visible to others, besides the margin of its leases.
VISIBILITY_MARGIN_SECONDS = 1


class ConsumerContext:
    """Stands for the Lambda context: a job may run for its deadline, and not past its message's visibility."""

    function_name = "stillframe-consumer"
    function_version = "$LATEST"
    memory_limit_in_mb = 0
    invoked_function_arn = "arn:aws:lambda:::function:stillframe-consumer"

    def __init__(self, job_seconds: float, ends_at: float) -> None:
        self.aws_request_id = str(uuid.uuid4())
        self._job_seconds = min(job_seconds, MAX_LEASE_SECONDS)
        self._ends_at = ends_at

    def get_remaining_time_in_millis(self) -> int:
        left = self._ends_at - time.monotonic()
        return max(0, int(min(self._job_seconds, left) * 1000))


class Poller:
    """Long-polls one queue and hands batches to a handler."""

    def __init__(self, clients: Clients, settings: Settings, handler: Handler, batch_size: int = 10) -> None:
        self._clients = clients
        self._sqs = clients.sqs
        self._settings = settings
        self._handler = handler
        self._batch_size = batch_size
        attributes = self._sqs.get_queue_attributes(
            QueueUrl=settings.queue_url, AttributeNames=["VisibilityTimeout", "QueueArn"]
        )["Attributes"]
        self._visibility_seconds = int(attributes["VisibilityTimeout"])
        self._queue_arn = attributes["QueueArn"]

    def poll(self, wait_seconds: int) -> int:
        """Receive one batch, handle it, delete what was acknowledged; returns how many were received."""
        messages = self.receive(wait_seconds, self._batch_size)
        if messages:
            self.handle(messages, time.monotonic())
        return len(messages)

    def receive(self, wait_seconds: int, most: int) -> list[Message]:
        """Up to so many messages, ten at most, as soon as there are any."""
        asked_at = time.monotonic()
        messages = self._sqs.receive_message(
            QueueUrl=self._settings.queue_url,
            MaxNumberOfMessages=min(most, self._batch_size),
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        waited_ms = int((time.monotonic() - asked_at) * 1000)
        logger.debug("received", extra={"count": len(messages), "waitedMs": waited_ms})
        return [cast(Message, message) for message in messages]

    def handle(self, messages: list[Message], received_at: float) -> None:
        """Have a batch handled and delete what was acknowledged. `received_at` is in seconds of the monotonic clock."""
        # The lease is over by every worker's clock before the message can be delivered again, or be given up.
        margin = VISIBILITY_MARGIN_SECONDS + 2 * self._settings.lease_margin_seconds
        ends_at = received_at + self._visibility_seconds - margin
        context = ConsumerContext(self._settings.job_deadline_seconds, ends_at)
        event = {"Records": [self._event_record(message) for message in messages]}
        response = self._handler(event, cast(LambdaContext, context))
        kept = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        self._delete([message for message in messages if message["MessageId"] not in kept])

    def hand_back(self, messages: list[Message]) -> None:
        """Make messages visible to others at once."""
        self._sqs.change_message_visibility_batch(
            QueueUrl=self._settings.queue_url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
                for number, message in enumerate(messages)
            ],
        )

    def is_drained(self) -> bool:
        """Whether nothing is visible, in flight or delayed. Approximate on AWS, as the names say."""
        return not any(message_counts(self._clients, self._settings.queue_url))

    def _delete(self, messages: list[Message]) -> None:
        if not messages:
            return
        answer = self._sqs.delete_message_batch(
            QueueUrl=self._settings.queue_url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages)
            ],
        )
        for failure in answer.get("Failed", []):
            # It will be delivered again and skipped as already done.
            logger.warning("a message could not be deleted", extra={"error": failure.get("Message")})

    def _event_record(self, message: Message) -> dict[str, Any]:
        """The record that Lambda would put into the event (AWS Lambda, "Using Lambda with Amazon SQS")."""
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {
                name: {
                    "stringValue": value.get("StringValue"),
                    "binaryValue": value.get("BinaryValue"),
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": value["DataType"],
                }
                for name, value in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message.get("MD5OfBody", hashlib.md5(message["Body"].encode()).hexdigest()),
            "eventSource": "aws:sqs",
            "eventSourceARN": self._queue_arn,
            "awsRegion": self._queue_arn.split(":")[3],
        }
