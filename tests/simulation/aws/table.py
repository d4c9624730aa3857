"""DynamoDB: conditional writes to single items, and strongly or eventually consistent reads."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

from .errors import client_error, validation_error
from .expressions import Item, ReservedWordError, compile_condition, compile_update

# How long an eventually consistent read may still return the previous item ("usually a second or less").
STALE_MS = 1000

Watcher = Callable[[str, Item | None, Item], None]


class SimulatedTable:
    """One table with the partition key `id`. Each call is atomic, as DynamoDB's single-item writes are."""

    def __init__(self, now_ms: Callable[[], int], rng: random.Random | None = None) -> None:
        self._now_ms = now_ms
        self._rng = rng
        self.items: dict[str, Item] = {}
        self._before: dict[str, tuple[int, Item | None]] = {}
        self.watchers: list[Watcher] = []

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
        names, values = ExpressionAttributeNames or {}, ExpressionAttributeValues or {}
        frozen = tuple(sorted(names.items()))
        try:
            update, used = compile_update(UpdateExpression, frozen)
            condition, used_by_condition = compile_condition(ConditionExpression, frozen)
        except ReservedWordError as error:
            raise validation_error("UpdateItem", f"reserved keyword: {error}") from error
        _refuse_unused("UpdateItem", {*names, *values}, used | used_by_condition)
        key = Key["id"]["S"]
        old = self.items.get(key)
        known = old or {}
        if not condition(known, values):
            raise _conditional_failure("UpdateItem", old, ReturnValuesOnConditionCheckFailure)
        new = {**known, **Key}
        for name, value in update.assignments:
            new[name] = value(known, values)
        for name in update.removals:
            new.pop(name, None)
        self._write(key, old, new)
        return {"Attributes": copy.deepcopy(old)} if ReturnValues == "ALL_OLD" and old else {}

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

    def expire(self, key: str) -> None:
        """Delete an item as the time to live does: not a write of anybody, so nothing watches it."""
        del self.items[key]

    def _write(self, key: str, old: Item | None, new: Item) -> None:
        self._before[key] = (self._now_ms(), old)
        self.items[key] = new
        for notify in self.watchers:
            notify(key, old, new)


def _conditional_failure(operation: str, old: Item | None, return_values: str) -> Exception:
    members = {"Item": copy.deepcopy(old)} if return_values == "ALL_OLD" and old is not None else {}
    message = "The conditional request failed"
    return client_error(operation, "ConditionalCheckFailedException", 400, message, **members)


def _refuse_unused(operation: str, given: set[str], used: frozenset[str] | set[str]) -> None:
    if given != used:
        raise validation_error(operation, f"unused or undefined in expressions: {sorted(given ^ set(used))}")
