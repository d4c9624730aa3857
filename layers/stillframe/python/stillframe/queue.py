"""The queue, as a worker uses it besides receiving and deleting: delay a message, postpone it, dead-letter it."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.aws_errors import CONTENT_CODES, error_code, translated_errors
from stillframe.aws_times import timed
from stillframe.errors import CaptureError
from stillframe.request.dead_letter import letter_with_reason
from stillframe.request.message import Message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = logging.getLogger(__name__)

# The longest visibility timeout that SQS accepts (ChangeMessageVisibility).
MAX_VISIBILITY_SECONDS = 43_200
# The longest delay that SQS accepts (SendMessage).
MAX_DELAY_SECONDS = 900


class Backoff:
    """Exponential backoff with jitter (AWS Architecture Blog, "Exponential Backoff And Jitter")."""

    def __init__(
        self, base_seconds: float, cap_seconds: float, uniform: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._base = base_seconds
        self._cap = cap_seconds
        self._uniform = uniform

    def seconds(self, receive_count: int) -> int:
        """Whole seconds between the n-th delivery and the next one, at least 1."""
        # 2**64 is beyond every cap; a larger exponent would only overflow a float.
        ceiling = min(self._cap, self._base * 2 ** min(receive_count - 1, 64))
        return max(1, round(self._uniform(ceiling / 2, ceiling)))


class CaptureQueue:
    """The queue and its dead-letter queue."""

    def __init__(self, client: SQSClient, queue_url: str, dead_letter_queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url
        self._dead_letter_queue_url = dead_letter_queue_url

    def delay(self, receipt_handle: str, seconds: int) -> None:
        """Make the message visible again after this many seconds.

        Best effort: when the call fails, the visibility timeout does the same, only later.
        """
        try:
            with timed("delay"):
                self._client.change_message_visibility(
                    QueueUrl=self._queue_url,
                    ReceiptHandle=receipt_handle,
                    VisibilityTimeout=max(0, min(seconds, MAX_VISIBILITY_SECONDS)),
                )
        except (ClientError, BotoCoreError) as error:
            logger.warning("could not set the backoff, the visibility timeout applies", extra={"error": str(error)})

    def postpone(self, message: Message, seconds: int) -> None:
        """Send a copy that is delivered after this many seconds, 900 at most, as if for the first time.

        Acknowledge the original only after this has returned. Handing it back instead would use up its receives,
        although a message that waits for its host has not failed. Raises ServiceUnavailable or CallRefused.
        """
        self._send_copy(message, message.copy_attributes(), seconds)

    def spare(self, message: Message, seconds: int) -> None:
        """Send a copy, as `postpone` does, of a message that met a worker's fault: its receives begin anew."""
        self._send_copy(message, message.spared_attributes(), seconds)

    def _send_copy(self, message: Message, attributes: dict[str, Any], seconds: int) -> None:
        with translated_errors("queue"):
            self._client.send_message(
                QueueUrl=self._queue_url,
                MessageBody=message.body,
                DelaySeconds=max(0, min(seconds, MAX_DELAY_SECONDS)),
                MessageAttributes=attributes,
                **_group(message),
            )

    def check(self) -> None:
        """Find out whether messages can be deleted, without deleting one: AWS checks the permission first."""
        with translated_errors("queue"):
            try:
                self._client.delete_message(QueueUrl=self._queue_url, ReceiptHandle="check")
            except ClientError as error:
                if error_code(error) not in CONTENT_CODES:
                    raise

    def give_up(self, message: Message) -> None:
        """Copy a message that has been received too often to the dead-letter queue, from where it can be redriven.

        For a message that SQS does not move itself. Acknowledge the original only after this has returned. Raises
        ServiceUnavailable or CallRefused.
        """
        with translated_errors("dead-letter queue"):
            self._client.send_message(
                QueueUrl=self._dead_letter_queue_url,
                MessageBody=message.body,
                MessageAttributes=message.letter_attributes(),
                **_group(message),
            )

    def dead_letter(self, message: Message, reason: CaptureError) -> None:
        """Copy the message to the dead-letter queue with its reason, whatever its size.

        Acknowledge the original only after this has returned. Raises ServiceUnavailable or CallRefused.
        """
        letter = letter_with_reason(message.body, reason, message.message_id)
        with translated_errors("dead-letter queue"):
            self._client.send_message(
                QueueUrl=self._dead_letter_queue_url,
                MessageBody=letter.body,
                MessageAttributes=letter.attributes,
                **_group(message),
            )


def _group(message: Message) -> dict[str, Any]:
    """A copy stays in its tenant's group (SQS fair queues)."""
    return {"MessageGroupId": message.group_id} if message.group_id else {}
