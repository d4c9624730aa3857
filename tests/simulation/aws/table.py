"""DynamoDB: conditional writes to single items, and strongly or eventually consistent reads."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stillframe.table.record import INDEX_NAME, INDEX_PARTITION_KEY, INDEX_SORT_KEY

from .errors import client_error, validation_error
from .expressions import Item, ReservedWordError, compile_condition, compile_update
from .index import SimulatedIndex

# How long an eventually consistent read may still return the previous item ("usually a second or less").
STALE_MS = 1000
# How often DynamoDB leaves keys of a batch to be asked for again, and how many a batch has.
UNPROCESSED = 0.1
MAX_BATCH_KEYS = 100

Watcher = Callable[[str, Item | None, Item], None]


@dataclass(frozen=True)
class Change:
    """One conditional update, ready to be judged and applied."""

    key: str
    key_values: Item
    values: Item
    update: Any
    condition: Any

    @classmethod
    def of(
        cls, operation: str, key: Item, expression: str, condition: str, names: dict[str, str], values: Item
    ) -> Change:
        frozen = tuple(sorted(names.items()))
        try:
            update, used = compile_update(expression, frozen)
            judge, used_by_condition = compile_condition(condition, frozen)
        except ReservedWordError as error:
            raise validation_error(operation, f"reserved keyword: {error}") from error
        _refuse_unused(operation, {*names, *values}, used | used_by_condition)
        return cls(key["id"]["S"], key, values, update, judge)

    def condition_holds(self, old: Item | None) -> bool:
        return bool(self.condition(old or {}, self.values))

    def applied(self, old: Item | None) -> Item:
        known = old or {}
        new = {**known, **self.key_values}
        for name, value in self.update.assignments:
            new[name] = value(known, self.values)
        for name in self.update.removals:
            new.pop(name, None)
        return new


class SimulatedTable:
    """One table with the partition key `id`. Each call is atomic, as DynamoDB's single-item writes are."""

    def __init__(self, now_ms: Callable[[], int], rng: random.Random | None = None) -> None:
        self._now_ms = now_ms
        self._rng = rng
        self.items: dict[str, Item] = {}
        self._before: dict[str, tuple[int, Item | None]] = {}
        self.watchers: list[Watcher] = []
        self.index = SimulatedIndex(INDEX_NAME, INDEX_PARTITION_KEY, INDEX_SORT_KEY)

    def update_item(
        self,
        *,
        TableName: str,
        Key: Item,
        UpdateExpression: str,
        ConditionExpression: str = "",
        ExpressionAttributeNames: dict[str, str] | None = None,
        ExpressionAttributeValues: Item | None = None,
        ReturnValues: str = "NONE",
        ReturnValuesOnConditionCheckFailure: str = "NONE",
    ) -> dict[str, Any]:
        change = Change.of(
            "UpdateItem",
            Key,
            UpdateExpression,
            ConditionExpression,
            ExpressionAttributeNames or {},
            ExpressionAttributeValues or {},
        )
        old = self.items.get(change.key)
        if not change.condition_holds(old):
            raise _conditional_failure("UpdateItem", old, ReturnValuesOnConditionCheckFailure)
        self._write(change.key, old, change.applied(old))
        return {"Attributes": copy.deepcopy(old)} if ReturnValues == "ALL_OLD" and old else {}

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:
        """All updates or none. A repeated call is judged again: the SDK's token, which AWS remembers for ten minutes,
        is not relied on."""
        updates = [each["Update"] for each in TransactItems]
        changes = [
            Change.of(
                "TransactWriteItems",
                update["Key"],
                update["UpdateExpression"],
                update["ConditionExpression"],
                update["ExpressionAttributeNames"],
                update["ExpressionAttributeValues"],
            )
            for update in updates
        ]
        olds = [self.items.get(change.key) for change in changes]
        reasons = [
            {"Code": "None" if change.condition_holds(old) else "ConditionalCheckFailed"}
            for change, old in zip(changes, olds, strict=True)
        ]
        if any(reason["Code"] != "None" for reason in reasons):
            code = "TransactionCanceledException"
            raise client_error("TransactWriteItems", code, 400, "Transaction canceled", CancellationReasons=reasons)
        for change, old in zip(changes, olds, strict=True):
            self._write(change.key, old, change.applied(old))
        return {}

    def put_item(
        self,
        *,
        TableName: str,
        Item: Item,
        ConditionExpression: str = "",
        ExpressionAttributeNames: dict[str, str] | None = None,
        ExpressionAttributeValues: Item | None = None,
        ReturnValuesOnConditionCheckFailure: str = "NONE",
    ) -> dict[str, Any]:
        names, values = ExpressionAttributeNames or {}, ExpressionAttributeValues or {}
        key = Item["id"]["S"]
        old = self.items.get(key)
        condition, used = compile_condition(ConditionExpression, tuple(sorted(names.items())))
        _refuse_unused("PutItem", {*names, *values}, used)
        if not condition(old or {}, values):
            raise _conditional_failure("PutItem", old, ReturnValuesOnConditionCheckFailure)
        self._write(key, old, copy.deepcopy(Item))
        return {}

    def get_item(self, *, TableName: str, Key: Item, ConsistentRead: bool = False) -> dict[str, Any]:
        key = Key["id"]["S"]
        item = self.items.get(key)
        if not ConsistentRead and self._rng is not None and key in self._before:
            written_ms, before = self._before[key]
            if self._now_ms() - written_ms <= STALE_MS and self._rng.random() < 0.5:
                item = before
        return {"Item": copy.deepcopy(item)} if item is not None else {}

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:
        """Some keys may come back unprocessed (API_BatchGetItem)."""
        ((name, wanted),) = RequestItems.items()
        keys: list[Item] = wanted["Keys"]
        if not 1 <= len(keys) <= MAX_BATCH_KEYS or len({key["id"]["S"] for key in keys}) < len(keys):
            raise validation_error("BatchGetItem", f"{len(keys)} keys")
        few = self._rng is not None and self._rng.random() < UNPROCESSED
        done = (len(keys) + 1) // 2 if few else len(keys)
        consistent = wanted.get("ConsistentRead", False)
        found = [self.get_item(TableName=name, Key=key, ConsistentRead=consistent) for key in keys[:done]]
        left = {name: {**wanted, "Keys": keys[done:]}} if done < len(keys) else {}
        return {"Responses": {name: [each["Item"] for each in found if each]}, "UnprocessedKeys": left}

    def query(self, *, TableName: str, IndexName: str, **arguments: Any) -> dict[str, Any]:
        """The keys that the index has of a partition. Another index is not there."""
        if IndexName != self.index.name:
            raise validation_error("Query", f"The table does not have the specified index: {IndexName}")
        return self.index.query(arguments)

    def expire(self, key: str) -> None:
        """Delete an item as the time to live does: not a write of anybody, so nothing watches it."""
        del self.items[key]
        self.index.update(key, None)

    def _write(self, key: str, old: Item | None, new: Item) -> None:
        self._before[key] = (self._now_ms(), old)
        self.items[key] = new
        self.index.update(key, new)
        for notify in self.watchers:
            notify(key, old, new)


def _conditional_failure(operation: str, old: Item | None, return_values: str) -> Exception:
    members = {"Item": copy.deepcopy(old)} if return_values == "ALL_OLD" and old is not None else {}
    message = "The conditional request failed"
    return client_error(operation, "ConditionalCheckFailedException", 400, message, **members)


def _refuse_unused(operation: str, given: set[str], used: frozenset[str] | set[str]) -> None:
    if given != used:
        raise validation_error(operation, f"unused or undefined in expressions: {sorted(given ^ set(used))}")
