"""What DynamoDB charges for the writes of a client, by its documented rules, and the requests that SQS charges.

Sources: DynamoDB, "Item sizes and formats", "Read and write operations" (an update costs the larger of the item before
and after it, in steps of 1 KB; so does one whose condition does not hold), and "Using global secondary indexes" (an
entry that appears, goes or changes costs one write, an entry under another key two, and an update that changes neither
key nor projected attributes none).
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stillframe.clients import Clients

from .cloud import Cloud

UNIT_BYTES = 1024
Item = Mapping[str, Any]


def item_bytes(item: Item) -> int:
    """The size of an item: its names, and its values."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(value: Mapping[str, Any]) -> int:
    """The size of a value; a number has two digits in a byte, and one byte more."""
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return math.ceil(len(content.strip("-0").replace(".", "")) / 2) + 1
    if kind == "M":
        return 3 + sum(len(name.encode()) + value_bytes(each) + 1 for name, each in content.items())
    if kind == "L":
        return 3 + sum(value_bytes(each) + 1 for each in content)
    return 1


def units(item: Item | None) -> int:
    """The units of a write of this size: at least one."""
    return max(1, math.ceil(item_bytes(item or {}) / UNIT_BYTES))


@dataclass(frozen=True)
class Index:
    """A global secondary index, as the table describes it. It has all attributes of an item or only keys."""

    name: str
    keys: tuple[str, ...]
    has_all: bool

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Index:
        keys = tuple(key["AttributeName"] for key in described["KeySchema"])
        projection = described["Projection"]["ProjectionType"]
        assert projection in ("ALL", "KEYS_ONLY")
        return cls(described["IndexName"], keys, projection == "ALL")

    def entry(self, item: Item | None) -> Item | None:
        """What the index has of an item: nothing, if it lacks a key."""
        if item is None or not all(key in item for key in self.keys):
            return None
        return item if self.has_all else {name: item[name] for name in ("id", *self.keys)}

    def units(self, before: Item | None, after: Item | None) -> int:
        """The units of keeping the index up to date."""
        old, new = self.entry(before), self.entry(after)
        if old == new:
            return 0
        if old is None or new is None:
            return units(old or new)
        if any(old[key] != new[key] for key in self.keys):
            return units(old) + units(new)
        return max(units(old), units(new))


@dataclass
class Bill:
    """Counts what clients of a cloud are charged for. Units are counted by the table's or the index's name."""

    cloud: Cloud
    units: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    sizes: dict[str, list[int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._reader = Clients.connect().dynamodb
        described: Any = self._reader.describe_table(TableName=self._table)["Table"]
        self._indexes = [Index.of(each) for each in described.get("GlobalSecondaryIndexes", [])]
        events = self.cloud.clients.dynamodb.meta.events
        events.register_first("before-parameter-build.dynamodb.UpdateItem", self._begin)
        events.register_last("after-call.dynamodb.UpdateItem", self._end)
        for client in (self.cloud.clients.sqs, self.cloud.clients.s3, self.cloud.clients.dynamodb):
            client.meta.events.register("before-call", self._count)

    @property
    def _table(self) -> str:
        return self.cloud.settings.table_name

    def _count(self, model: Any, **_: Any) -> None:
        self.requests[model.name] += 1

    def _begin(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["key"], context["before"] = params["Key"], self._read(params["Key"])

    def _end(self, context: dict[str, Any], **_: Any) -> None:
        before, after = context["before"], self._read(context["key"])
        with self._lock:
            self.writes["table"] += 1
            self.units["table"] += max(units(before), units(after))
            for index in self._indexes:
                if charged := index.units(before, after):
                    self.units[index.name] += charged
            state = (after or {}).get("status", {"S": "other"})["S"]
            self.sizes.setdefault(state, []).append(item_bytes(after or {}))

    def _read(self, key: Item) -> Item | None:
        answer = self._reader.get_item(TableName=self._table, Key=dict(key), ConsistentRead=True)
        return answer.get("Item")

    def mean_sizes(self) -> Iterator[tuple[str, float]]:
        """The mean size in bytes of the records by the status that a write gave them."""
        for state, sizes in self.sizes.items():
            yield state, sum(sizes) / len(sizes)
