"""How often a message has waited for its host, so that only the newest of its copies goes on waiting.

A message that waits is replaced by a copy. When the answer to sending the copy is lost, or the original is not deleted,
there are two of them, and each would be copied again: while the queue is failing they would multiply with every wait.
"""

from __future__ import annotations

from stillframe.clock import Clock
from stillframe.request.message import Message
from stillframe.table import side_items
from stillframe.table.attributes import WAIT_COUNT
from stillframe.table.table import Table

# A screenshot id cannot contain this character, so such an item is never in the place of a record.
PREFIX = "turn#"
# Longer than any queue keeps a message (14 days). A copy that outlives its item is one more duplicate, nothing worse.
RETENTION_SECONDS = 15 * 24 * 3600


class WaitCounts:
    """An item of the table for each waiting message, by the id that it had at first. A count only ever grows.

    A copy is sent before its wait is counted. So there is always a message with the count that is stored, until the
    request is done; a message with a lower count is not needed.
    """

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def is_newest(self, message: Message) -> bool:
        """Whether no later copy of the message is known. Raises ServiceUnavailable."""
        item = self._table.get(_key(message)) or {}
        return message.waits >= int(item.get(WAIT_COUNT, 0))

    def count(self, message: Message) -> None:
        """Count one more wait: the copy of the message was sent. Raises ServiceUnavailable."""
        update = side_items.raise_wait_count(message.waits + 1, self._clock.now_ms(), RETENTION_SECONDS)
        self._table.update(_key(message), update)


def _key(message: Message) -> str:
    return f"{PREFIX}{message.first_message_id or message.message_id}"
