"""Dead letters back to the queue, without StartMessageMoveTask: emulators lack it, and it takes all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stillframe.clients import Clients
from stillframe.request.message import RECEIVED_BEFORE, REDRIVEN_FROM
from stillframe.settings import Settings

BATCH_SIZE = 10
# A letter that is kept stays out of sight that long, so that one run meets it once.
LOOK_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Redriven:
    """How many letters were moved, and how many stay because they carry a reason."""

    moved: int
    kept: int


class Redriver:
    """Moves letters one by one: each is deleted only after it was sent."""

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._sqs = clients.sqs
        self._settings = settings

    def run(
        self, limit: int | None = None, moved_one: Callable[[int, str], None] = lambda count, message_id: None
    ) -> Redriven:
        """Move up to `limit` letters; `moved_one` is told of each. Raises ClientError or BotoCoreError.

        Letters with a reason of their own (a body that is no request, an id conflict) stay: as they are
        they can only fail again. A run that ends in the middle may have sent a letter that it did not
        delete: the next run sends it again, as a duplicate.
        """
        moved = 0
        kept: set[str] = set()
        while limit is None or moved < limit:
            letters = self._receive(BATCH_SIZE if limit is None else min(BATCH_SIZE, limit - moved))
            if not letters:
                break
            for letter in letters:
                if "errorCode" in letter.get("MessageAttributes", {}):
                    kept.add(letter["MessageId"])
                    continue
                self._move(letter)
                moved += 1
                moved_one(moved, letter["MessageId"])
        return Redriven(moved, len(kept))

    def _receive(self, count: int) -> list[Any]:
        answer = self._sqs.receive_message(
            QueueUrl=self._settings.dead_letter_queue_url,
            MaxNumberOfMessages=count,
            WaitTimeSeconds=1,
            VisibilityTimeout=LOOK_SECONDS,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["MessageGroupId"],
        )
        return list(answer.get("Messages", []))

    def _move(self, letter: Any) -> None:
        tenant = letter.get("Attributes", {}).get("MessageGroupId")
        group: Any = {"MessageGroupId": tenant} if tenant else {}
        # Its tries begin anew.
        kept = {name: each for name, each in letter.get("MessageAttributes", {}).items() if name != RECEIVED_BEFORE}
        self._sqs.send_message(
            QueueUrl=self._settings.queue_url,
            MessageBody=letter["Body"],
            MessageAttributes={
                **kept,
                REDRIVEN_FROM: {"DataType": "String", "StringValue": letter["MessageId"]},
            },
            **group,
        )
        self._sqs.delete_message(QueueUrl=self._settings.dead_letter_queue_url, ReceiptHandle=letter["ReceiptHandle"])
