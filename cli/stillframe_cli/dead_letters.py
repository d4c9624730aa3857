"""The dead letters as an operator sees them: which there are and why, without changing them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stillframe.archive import Archive
from stillframe.clients import Clients
from stillframe.errors import CaptureError
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.dead_letter import REASON_CODE, REASON_MESSAGE, has_reason, original_body
from stillframe.request.message import SENT_AT
from stillframe.settings import Settings
from stillframe.table.record import Record
from stillframe.webhooks.attempts import host_of
from stillframe.webhooks.message import WebhookMessage

BATCH_SIZE = 10
# A letter that was received stays invisible for this long, so that one run receives it only once.
VISIBILITY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ListedLetter:
    """One dead letter. `sent_at` is when it became one, in milliseconds since the epoch.

    The reason is the letter's own, or else that of its record. `is_redrivable` says whether `redrive` moves it: a
    letter with a reason of its own would only fail again.
    """

    message_id: str
    id: str | None
    url: str | None
    error_code: str | None
    error_message: str | None
    sent_at: int
    bytes: int
    is_redrivable: bool

    def to_wire(self) -> dict[str, Any]:
        """Return one line of `redrive --list --json`."""
        values = {
            "messageId": self.message_id,
            "id": self.id,
            "url": self.url,
            "errorCode": self.error_code,
            "errorMessage": self.error_message,
            "sentAt": self.sent_at,
            "bytes": self.bytes,
            "redrivable": self.is_redrivable,
        }
        return {name: value for name, value in values.items() if value is not None}


class DeadLetters:
    """The dead-letter queue. Every method raises ClientError or BotoCoreError when AWS fails."""

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._sqs = clients.sqs
        self._url = settings.dead_letter_queue_url
        self._archive = Archive(clients, settings)

    def receive(self, count: int) -> list[Any]:
        """Receive up to `count` letters, ten at most, and hide them for a minute."""
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(count, BATCH_SIZE),
            WaitTimeSeconds=1,
            VisibilityTimeout=VISIBILITY_SECONDS,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["MessageGroupId", "SentTimestamp"],
        )
        return list(answer.get("Messages", []))

    def delete(self, letter: Any) -> None:
        """Delete a letter that was sent again."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=letter["ReceiptHandle"])

    def read_all(self) -> Iterator[ListedLetter]:
        """Yield every letter that is visible, and make all of them visible again at the end."""
        handles: dict[str, str] = {}
        try:
            while letters := [each for each in self.receive(BATCH_SIZE) if each["MessageId"] not in handles]:
                handles |= {letter["MessageId"]: letter["ReceiptHandle"] for letter in letters}
                yield from self._describe_all(letters)
        finally:
            self._show_again(list(handles.values()))

    def _describe_all(self, letters: list[Any]) -> Iterator[ListedLetter]:
        requests = {letter["MessageId"]: _request_of(letter) for letter in letters}
        records = self._archive.records_by_id([request.id for request in requests.values() if request is not None])
        for letter in letters:
            request = requests[letter["MessageId"]]
            yield _describe(letter, request, records.get(request.id) if request else None)

    def _show_again(self, handles: list[str]) -> None:
        for start in range(0, len(handles), BATCH_SIZE):
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                    for number, handle in enumerate(handles[start : start + BATCH_SIZE])
                ],
            )


def _request_of(letter: Any) -> CaptureRequest | None:
    attributes = letter.get("MessageAttributes", {})
    sent_at = attributes.get(SENT_AT, {}).get("StringValue") or letter.get("Attributes", {}).get("SentTimestamp", "0")
    try:
        return CaptureRequest.from_body(original_body(letter["Body"], attributes)).named(int(sent_at))
    except (CaptureError, ValueError):
        return None


def _webhook_of(letter: Any) -> WebhookMessage | None:
    try:
        return WebhookMessage.from_body(letter["Body"])
    except CaptureError:
        return None


def _describe(letter: Any, request: CaptureRequest | None, record: Record | None) -> ListedLetter:
    attributes = letter.get("MessageAttributes", {})
    webhook = _webhook_of(letter) if request is None else None
    code: str | None = None
    message: str | None = None
    if REASON_CODE in attributes:
        code, message = (attributes.get(name, {}).get("StringValue") for name in (REASON_CODE, REASON_MESSAGE))
    elif webhook is None:
        # The record of another request with the same id says nothing about this one.
        own = record if record and request and record.payload_hash == request.payload_hash else None
        code, message = (own.error_code, own.error_message) if own else (None, None)
    return ListedLetter(
        message_id=letter["MessageId"],
        id=request.id if request else webhook.screenshot_id if webhook else None,
        # The path of a webhook may be a secret.
        url=request.recorded_url if request else host_of(webhook.url) if webhook else None,
        error_code=code,
        error_message=message,
        sent_at=int(letter.get("Attributes", {}).get("SentTimestamp", 0)),
        bytes=len(letter["Body"].encode()),
        is_redrivable=not has_reason(attributes),
    )
