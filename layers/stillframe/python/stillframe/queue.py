"""What a worker does to messages besides acknowledging them: delay them, or set them aside with a reason."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.errors import CaptureError, ServiceUnavailable
from stillframe.request.message import FIRST_MESSAGE_ID, POSTPONED, RECEIVED_BEFORE, REDRIVEN_FROM, Message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

logger = logging.getLogger(__name__)

# The longest visibility timeout that SQS takes (ChangeMessageVisibility).
MAX_VISIBILITY_SECONDS = 43_200
# The longest delay that SQS takes (SendMessage).
MAX_DELAY_SECONDS = 900


class Backoff:
    """Exponential back-off with full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter")."""

    def __init__(
        self, base_seconds: float, cap_seconds: float, uniform: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._base = base_seconds
        self._cap = cap_seconds
        self._uniform = uniform

    def seconds(self, receive_count: int) -> int:
        """Whole seconds until the next delivery after the n-th one; at least 1, so that it is a back-off."""
        # 2**64 is beyond every cap; a larger exponent would only overflow a float.
        ceiling = min(self._cap, self._base * 2 ** min(receive_count - 1, 64))
        return max(1, round(self._uniform(ceiling / 2, ceiling)))


class CaptureQueue:
    """The queue and its dead-letter queue, as a worker sees them."""

    def __init__(self, client: SQSClient, queue_url: str, dead_letter_queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url
        self._dead_letter_queue_url = dead_letter_queue_url

    def delay(self, receipt_handle: str, seconds: int) -> None:
        """Make the message visible again after that many seconds.

        Best effort: when it fails, the visibility timeout does the same, later.
        """
        try:
            self._client.change_message_visibility(
                QueueUrl=self._queue_url,
                ReceiptHandle=receipt_handle,
                VisibilityTimeout=max(0, min(seconds, MAX_VISIBILITY_SECONDS)),
            )
        except (ClientError, BotoCoreError) as error:
            logger.warning("could not set the back-off, the visibility timeout applies", extra={"error": str(error)})

    def postpone(self, message: Message, seconds: int) -> None:
        """Send a copy that comes after so many seconds, 900 at most, as if for the first time.

        The original is to be acknowledged only after this returned. Handing it back instead would use up its receives:
        a message that waits for its turn has not failed. Raises ServiceUnavailable.
        """
        attributes = {
            REDRIVEN_FROM: message.message_id,
            POSTPONED: str(message.postponed + 1),
            FIRST_MESSAGE_ID: message.first_message_id or message.message_id,
            # This receive was no attempt.
            RECEIVED_BEFORE: str(message.receive_count - 1),
        }
        # The tenant stays what it is (SQS fair queues).
        group: dict[str, Any] = {"MessageGroupId": message.group_id} if message.group_id else {}
        try:
            self._client.send_message(
                QueueUrl=self._queue_url,
                MessageBody=message.body,
                DelaySeconds=max(0, min(seconds, MAX_DELAY_SECONDS)),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
                **group,
            )
        except (ClientError, BotoCoreError) as error:
            raise ServiceUnavailable(f"queue: {error}") from error

    def dead_letter(self, body: str, message_id: str, reason: CaptureError) -> None:
        """Copy the message to the dead-letter queue with its reason.

        The original is to be acknowledged only after this returned. Raises ServiceUnavailable.
        """
        attributes = {"errorCode": reason.code, "errorMessage": reason.message, "sourceMessageId": message_id}
        try:
            self._client.send_message(
                QueueUrl=self._dead_letter_queue_url,
                MessageBody=body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": _sendable(value)} for name, value in attributes.items()
                },
            )
        except (ClientError, BotoCoreError) as error:
            raise ServiceUnavailable(f"dead-letter queue: {error}") from error


def _sendable(value: str) -> str:
    """Only the characters that SQS takes in a string attribute (XML 1.0, section 2.2); it may not be empty."""
    kept = "".join(
        char if char in "\t\n\r" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char > "\uffff" else "?"
        for char in value
    )
    return kept or "?"
