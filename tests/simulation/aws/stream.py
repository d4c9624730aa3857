"""DynamoDB's stream of a table: every change once, and those of one item in their order.

Amazon DynamoDB Developer Guide, "Change data capture for DynamoDB Streams".
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .expressions import Item

SHARDS = 2


@dataclass(frozen=True)
class StreamRecord:
    """One change of one item."""

    number: int
    key: str
    old: Item | None
    new: Item
    written_ms: int

    def to_lambda(self) -> dict[str, Any]:
        """The record in an event of Lambda ("Using AWS Lambda with Amazon DynamoDB")."""
        images = {"NewImage": self.new, **({"OldImage": self.old} if self.old is not None else {})}
        return {
            "eventName": "MODIFY" if self.old else "INSERT",
            "eventSource": "aws:dynamodb",
            "dynamodb": {"Keys": {"id": {"S": self.key}}, "SequenceNumber": str(self.number), **images},
        }


class SimulatedStream:
    """The shards of one stream. An item is always in the same one."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._numbers = itertools.count(100)
        self.shards: list[list[StreamRecord]] = [[] for _ in range(SHARDS)]
        # Called with the number of a shard that has got a record.
        self.watcher: Callable[[int], None] = lambda shard: None

    def written(self, key: str, old: Item | None, new: Item) -> None:
        """A write of the table. One that changes nothing is no change ("no-op")."""
        if old == new:
            return
        shard = zlib.crc32(key.encode()) % SHARDS
        record = StreamRecord(next(self._numbers), key, old, new, self._now_ms())
        self.shards[shard].append(record)
        self.watcher(shard)
