"""Moves dead letters back to the queue.

It does not use StartMessageMoveTask, which emulators lack and which moves all messages or none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stillframe.clients import Clients
from stillframe.request.message import has_reason, redriven_attributes
from stillframe.settings import Settings

BATCH_SIZE = 10
# A letter that is kept stays invisible for this long, so that one run receives it only once.
VISIBILITY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class RedriveResult:
    """How many letters were moved, and how many were kept because they carry an error code."""

    moved: int
    kept: int


class Redriver:
    """Moves letters one by one, and deletes each only after it was sent."""

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._sqs = clients.sqs
        self._settings = settings

    def redrive(
        self, limit: int | None = None, on_moved: Callable[[int, str], None] = lambda count, message_id: None
    ) -> RedriveResult:
        """Move up to `limit` letters. Raises ClientError or BotoCoreError.

        `on_moved` is called after each, with the number of letters moved so far and the message id. Letters that carry
        an error code (an invalid message, an id conflict) are kept, because they would only fail again. A run that is
        interrupted may leave a letter that it has sent but not deleted; the next run sends it again, as a duplicate.
        """
        moved = 0
        kept: set[str] = set()
        while limit is None or moved < limit:
            letters = self._receive(BATCH_SIZE if limit is None else min(BATCH_SIZE, limit - moved))
            if not letters:
                break
            for letter in letters:
                if has_reason(letter.get("MessageAttributes", {})):
                    kept.add(letter["MessageId"])
                    continue
                self._move(letter)
                moved += 1
                on_moved(moved, letter["MessageId"])
        return RedriveResult(moved, len(kept))

    def _receive(self, count: int) -> list[Any]:
        answer = self._sqs.receive_message(
            QueueUrl=self._settings.dead_letter_queue_url,
            MaxNumberOfMessages=count,
            WaitTimeSeconds=1,
            VisibilityTimeout=VISIBILITY_SECONDS,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["MessageGroupId"],
        )
        return list(answer.get("Messages", []))

    def _move(self, letter: Any) -> None:
        tenant = letter.get("Attributes", {}).get("MessageGroupId")
        group: Any = {"MessageGroupId": tenant} if tenant else {}
        self._sqs.send_message(
            QueueUrl=self._settings.queue_url,
            MessageBody=letter["Body"],
            MessageAttributes=redriven_attributes(letter.get("MessageAttributes", {}), letter["MessageId"]),
            **group,
        )
        self._sqs.delete_message(QueueUrl=self._settings.dead_letter_queue_url, ReceiptHandle=letter["ReceiptHandle"])
