"""Does what the event source mapping does for Lambda: polls, invokes the handler, deletes acknowledged messages."""

from __future__ import annotations

import hashlib
import logging
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from stillframe.clients import Clients
from stillframe.queue_settings import QueueSettings
from stillframe.request.event_record import record_attributes
from stillframe.settings import Settings

from .backlog import message_counts

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = logging.getLogger("stillframe.poller")

# A message as ReceiveMessage returns it.
Message = dict[str, Any]
Handler = Callable[[dict[str, Any], LambdaContext], PartialItemFailureResponse]

# A deletion that takes longer is told at the usual level.
SLOW_MS = 1000
# Longest lease of a long-running worker.
MAX_LEASE_SECONDS = 600


class ConsumerContext:
    """Takes the place of the Lambda context. A job may run until its deadline, and while its message is invisible."""

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
    """Long-polls one queue and passes batches to a handler."""

    def __init__(
        self,
        clients: Clients,
        settings: Settings,
        handler: Handler,
        batch_size: int = 10,
        queue: QueueSettings | None = None,
        receiver: SQSClient | None = None,
    ) -> None:
        """`queue` is asked of SQS unless given. `receiver` is the client for long polls, the usual one unless given."""
        self._clients = clients
        self._sqs = clients.sqs
        self._receiver = receiver or clients.sqs
        self._settings = settings
        self._handler = handler
        self._batch_size = batch_size
        self._queue = queue or QueueSettings.read(clients.sqs, settings.queue_url)
        self._queue_arn = self._queue.arn

    def poll(self, wait_seconds: int) -> int:
        """Receive and process one batch. Returns the number of messages received."""
        messages = self.receive(wait_seconds, self._batch_size)
        if messages:
            self.process(messages, time.monotonic())
        return len(messages)

    def receive(self, wait_seconds: int, max_messages: int) -> list[Message]:
        """Receive up to `max_messages`, but at most a batch, as soon as there are any or `wait_seconds` are over."""
        started_at = time.monotonic()
        messages = self._receiver.receive_message(
            QueueUrl=self._settings.queue_url,
            MaxNumberOfMessages=min(max_messages, self._batch_size),
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        waited_ms = int((time.monotonic() - started_at) * 1000)
        logger.debug("received", extra={"count": len(messages), "waitedMs": waited_ms})
        return [cast(Message, message) for message in messages]

    def process(self, messages: list[Message], received_at: float) -> int:
        """Pass a batch to the handler and delete the acknowledged messages. Returns how many were to be deleted.

        `received_at` is in monotonic seconds.

        Raises ClientError or BotoCoreError when messages could not be deleted.
        """
        # The lease must end by every worker's clock before the message is delivered again or becomes a dead letter.
        ends_at = received_at + self._queue.lease_seconds(self._settings)
        context = ConsumerContext(self._settings.job_deadline_seconds, ends_at)
        event = {"Records": [record_of(message, self._queue_arn) for message in messages]}
        response = self._handler(event, cast(LambdaContext, context))
        kept = {failure["itemIdentifier"] for failure in response["batchItemFailures"]}
        acknowledged = [message for message in messages if message["MessageId"] not in kept]
        self._delete(acknowledged)
        return len(acknowledged)

    def return_to_queue(self, messages: list[Message]) -> None:
        """Make messages visible to other workers at once."""
        self._sqs.change_message_visibility_batch(
            QueueUrl=self._settings.queue_url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
                for number, message in enumerate(messages)
            ],
        )

    def is_drained(self) -> bool:
        """Whether no message is visible, in flight or delayed. AWS calls these counts approximate."""
        return not any(message_counts(self._clients, self._settings.queue_url))

    def _delete(self, messages: list[Message]) -> None:
        if not messages:
            return
        started_at = time.monotonic()
        answer = self._sqs.delete_message_batch(
            QueueUrl=self._settings.queue_url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages)
            ],
        )
        took_ms = int((time.monotonic() - started_at) * 1000)
        # The outcomes, which decide what is deleted, are logged by now: this call has a line of its own.
        level = logging.INFO if took_ms >= SLOW_MS else logging.DEBUG
        logger.log(level, "deleted", extra={"count": len(messages), "awsMs": {"delete": took_ms}})
        for failure in answer.get("Failed", []):
            # It is delivered again, and then skipped.
            logger.warning("a message could not be deleted", extra={"error": failure.get("Message")})


def record_of(message: Message, queue_arn: str) -> dict[str, Any]:
    """The record that Lambda would put into the event (AWS Lambda, "Using Lambda with Amazon SQS")."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": record_attributes(message.get("MessageAttributes", {})),
        "md5OfBody": message.get("MD5OfBody", hashlib.md5(message["Body"].encode()).hexdigest()),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }
