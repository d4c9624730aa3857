"""How often a message has waited for its host, so that of its copies only the newest goes on waiting.

A message that waits is replaced by a copy. Where the answer to its sending, or the deletion of the original, is lost,
there are two, each of which would be copied again: in a brown-out of the queue they would multiply with every turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.clock import Clock
from stillframe.errors import ServiceUnavailable
from stillframe.request.message import Message
from stillframe.table.record import PARTITION_KEY, TIME_TO_LIVE, from_attributes, to_attributes
from stillframe.table.update import Update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# No screenshot id has this character, so no record is where such an item is.
PREFIX = "turn#"
# Longer than any queue keeps a message (14 days). Without its item a copy is one more duplicate, and nothing worse.
KEPT_SECONDS = 15 * 24 * 3600


class WaitCounts:
    """An item of the table for each message that waits, by the id that it had at first. Only ever counts up.

    A copy is sent before its turn is written down: so there is a message of the turn that is written, until the
    request has its end. One of an earlier turn can go.
    """

    def __init__(self, client: DynamoDBClient, table_name: str, clock: Clock) -> None:
        self._client = client
        self._table_name = table_name
        self._clock = clock

    def is_newest(self, message: Message) -> bool:
        """Whether no copy of a later turn is known. Raises ServiceUnavailable."""
        try:
            answer = self._client.get_item(
                TableName=self._table_name, Key=to_attributes({PARTITION_KEY: self._key(message)}), ConsistentRead=True
            )
        except (ClientError, BotoCoreError) as error:
            raise ServiceUnavailable(f"get item: {error}") from error
        item = from_attributes(answer.get("Item", {}))
        return message.postponed >= int(item.get("turn", 0))

    def advance(self, message: Message) -> None:
        """The message's copy was sent. Raises ServiceUnavailable."""
        turn = message.postponed + 1
        update = Update(
            set_values={"turn": turn, TIME_TO_LIVE: self._clock.now_ms() // 1000 + KEPT_SECONDS},
            condition="attribute_not_exists(turn) OR turn < :turn",
            values={":turn": turn},
        )
        update.apply(self._client, self._table_name, self._key(message))

    @staticmethod
    def _key(message: Message) -> str:
        return f"{PREFIX}{message.first_message_id or message.message_id}"
