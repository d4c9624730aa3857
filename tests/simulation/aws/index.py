"""A global secondary index of DynamoDB that is sparse and has keys only."""

from __future__ import annotations

from typing import Any

from .errors import validation_error
from .expressions import Item

CONDITION = "{} = :shard AND {} >= :since"


class SimulatedIndex:
    """The keys of the items that have both keys of the index. It is up to date at once: DynamoDB does not promise that.

    `writes` counts what DynamoDB writes to keep it up to date ("Using global secondary indexes"): nothing when no key
    changes, two when an entry gets another key, and one when it appears or goes.
    """

    def __init__(self, name: str, partition_key: str, sort_key: str) -> None:
        self.name = name
        self.writes = 0
        self._keys = (partition_key, sort_key)
        self.entries: dict[str, Item] = {}

    def update(self, key: str, item: Item | None) -> None:
        """Follow a write of the table; no item means that it was deleted."""
        old = self.entries.pop(key, None)
        new = {name: item[name] for name in ("id", *self._keys)} if item is not None and self._has_keys(item) else None
        if new is not None:
            self.entries[key] = new
        if old != new:
            self.writes += (old is not None) + (new is not None)

    def query(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The keys of one partition, by the sort key and then by the id."""
        partition, sort = self._keys
        if arguments["KeyConditionExpression"] != CONDITION.format(partition, sort):
            raise validation_error("Query", "the model knows no other condition")
        values = arguments["ExpressionAttributeValues"]
        of_shard = [entry for entry in self.entries.values() if entry[partition] == values[":shard"]]
        found = sorted((each for each in of_shard if _number(each[sort]) >= _number(values[":since"])), key=self._place)
        start = arguments.get("ExclusiveStartKey")
        if start is not None:
            found = [each for each in found if self._place(each) > self._place(start)]
        limit = arguments.get("Limit", len(found) + 1)
        is_cut = len(found) >= limit
        items = [{"id": each["id"]} for each in found[:limit]]
        return {"Items": items, **({"LastEvaluatedKey": dict(found[limit - 1])} if is_cut else {})}

    def _has_keys(self, item: Item) -> bool:
        return all(name in item for name in self._keys)

    def _place(self, entry: Item) -> tuple[int, str]:
        return _number(entry[self._keys[1]]), entry["id"]["S"]


def _number(value: dict[str, str]) -> int:
    return int(value["N"])
