"""The index of unfinished records: sparse, keys only, and details from the table (Developer Guide, "Using GSIs")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stillframe.archive import Archive
from stillframe.table.attributes import INDEX_SHARD, UPDATED_AT, item_key, to_attributes
from stillframe.table.index_keys import IndexKeys

from .conftest import Services


@pytest.fixture(params=["simulation", "ministack", "moto"])
def backend(request: pytest.FixtureRequest) -> str:
    """The model, and two independent emulators."""
    return str(request.param)


Write = Callable[..., None]


@pytest.fixture
def index(services: Services) -> IndexKeys:
    return IndexKeys(services.clients.dynamodb, services.settings.table_name)


@pytest.fixture
def write(services: Services) -> Write:
    def put(name: str, shard: str | None, updated_at: int, **values: object) -> None:
        keys: dict[str, Any] = {"id": name, UPDATED_AT: updated_at, **({INDEX_SHARD: shard} if shard else {})}
        item = to_attributes({**keys, "status": "queued", **values})
        services.clients.dynamodb.put_item(TableName=services.settings.table_name, Item=item)

    return put


def test_an_index_has_the_items_of_a_partition_by_time(index: IndexKeys, write: Write) -> None:
    # Given items of two partitions, and one of none
    for name, shard, at in (("b", "queued#1", 20), ("a", "queued#1", 30), ("c", "queued#2", 10), ("d", None, 10)):
        write(name, shard, at)
    # When one is read, then it has its items in the order of their times, from the given one on
    assert index.page("queued#1") == (["b", "a"], None)
    assert index.page("queued#1", since_ms=20)[0] == ["b", "a"]
    assert index.page("queued#1", since_ms=21)[0] == ["a"]


def test_an_item_that_loses_a_key_leaves_the_index(index: IndexKeys, write: Write, services: Services) -> None:
    # Given an item in the index, when its partition key is removed, then the index does not have it
    write("a", "queued#1", 10)
    services.clients.dynamodb.update_item(
        TableName=services.settings.table_name,
        Key=item_key("a"),
        UpdateExpression=f"REMOVE {INDEX_SHARD}",
        ConditionExpression="attribute_exists(id)",
    )
    assert index.page("queued#1") == ([], None)


def test_pages_follow_each_other(index: IndexKeys, write: Write) -> None:
    # Given five items, two of the same time
    for number, at in enumerate((1, 2, 2, 3, 4)):
        write(f"id-{number}", "queued#1", at)
    # When they are read two at a time
    found: list[str] = []
    start: dict[str, Any] | None = None
    for _ in range(4):
        ids, start = index.page("queued#1", limit=2, start=start)
        found += ids
        if start is None:
            break
    # Then each comes once
    assert sorted(found) == [f"id-{number}" for number in range(5)]


def test_details_come_from_the_table(index: IndexKeys, write: Write, services: Services) -> None:
    # Given a record whose entry of the index says nothing of its status
    write("a", "queued#1", 10, status="processing", workerId="w")
    # When it is looked up, with one that is gone
    ids, _ = index.page("queued#1")
    found = Archive(services.clients, services.settings).records_by_id([*ids, "gone"])
    # Then it is as the table has it
    assert {name: (record.status, record.worker_id) for name, record in found.items()} == {"a": ("processing", "w")}
