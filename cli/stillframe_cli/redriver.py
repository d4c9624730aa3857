"""Moves dead letters back to the queue.

It does not use StartMessageMoveTask, which emulators lack and which moves all messages or none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from stillframe.clients import Clients
from stillframe.request.dead_letter import LETTER_NAMES, Letter, has_reason, redriven_letter
from stillframe.settings import Settings

from .dead_letters import BATCH_SIZE, DeadLetters

# What SQS answers to a message that it does not accept (SendMessage, "Errors"). Any other error concerns all messages.
REFUSALS = frozenset(
    {
        "InvalidMessageContents",
        "InvalidParameterValue",
        "InvalidParameterValueException",
        "MessageTooLong",
        "AWS.SimpleQueueService.InvalidMessageContents",
    }
)
TOO_LARGE = "it has no room for the mark of a redrive; send its request again, or use the redrive of SQS itself"


@dataclass(frozen=True, slots=True)
class RedriveResult:
    """How many letters were moved, kept because they carry an error code, and refused by SQS."""

    moved: int
    kept: int
    refused: int = 0


class NotMoved(Exception):
    """A letter that SQS does not accept on the queue. The message says why."""


class Redriver:
    """Moves letters one by one, and deletes each only after it was sent."""

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._sqs = clients.sqs
        self._queue_url = settings.queue_url
        self._letters = DeadLetters(clients, settings)

    def redrive(self, limit: int | None = None, report: Callable[[str], None] = lambda line: None) -> RedriveResult:
        """Move up to `limit` letters. Raises ClientError or BotoCoreError.

        `report` is called with a line about each letter that was moved or could not be moved. Letters that carry an
        error code (an invalid message, an id conflict) are kept, because they would only fail again. A run that is
        interrupted may leave a letter that it has sent but not deleted; the next run sends it again, as a duplicate.
        """
        moved = 0
        kept: set[str] = set()
        refused: set[str] = set()
        while limit is None or moved < limit:
            letters = self._letters.receive(BATCH_SIZE if limit is None else min(BATCH_SIZE, limit - moved))
            if not letters:
                break
            for letter in letters:
                message_id = letter["MessageId"]
                if has_reason(letter.get("MessageAttributes", {})):
                    kept.add(message_id)
                    continue
                try:
                    left_out = self._move(letter)
                except NotMoved as error:
                    if message_id not in refused:
                        report(f"{message_id} cannot be moved: {error}")
                    refused.add(message_id)
                    continue
                moved += 1
                report(f"[{moved}] {message_id}" + (f", without {', '.join(left_out)}" if left_out else ""))
        return RedriveResult(moved, len(kept), len(refused))

    def _move(self, letter: Any) -> list[str]:
        """Send a letter and delete it. Returns the attributes for which there was no room. Raises NotMoved."""
        attributes = letter.get("MessageAttributes", {})
        system = letter.get("Attributes", {})
        again = redriven_letter(letter["Body"], attributes, letter["MessageId"], int(system.get("SentTimestamp", 0)))
        if not again.is_sendable:
            raise NotMoved(TOO_LARGE)
        self._send(again, system.get("MessageGroupId"))
        self._letters.delete(letter)
        return sorted(attributes.keys() - again.attributes.keys() - LETTER_NAMES)

    def _send(self, letter: Letter, tenant: str | None) -> None:
        group: Any = {"MessageGroupId": tenant} if tenant else {}
        try:
            self._sqs.send_message(
                QueueUrl=self._queue_url, MessageBody=letter.body, MessageAttributes=letter.attributes, **group
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in REFUSALS:
                raise
            raise NotMoved(f"SQS refuses it: {error.response['Error'].get('Message', '')}") from error
