"""Lists by status read keys from an index and details from the table: each record comes once, whatever is beside it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from stillframe.archive import MAX_KEYS, Archive
from stillframe.clients import connect_cloudwatch
from stillframe.record_list import RecordList
from stillframe.table.attributes import to_attributes
from stillframe.table.record import Record, Status
from stillframe_cli.metrics import ServiceMetrics
from stillframe_cli.status_snapshot import MAX_QUIET_READS, SnapshotReader
from tests.support.cloud import Cloud

NOW_MS = int(time.time() * 1000)
QUEUED_FROM_MS = NOW_MS - 60_000
# In one partition, the oldest first: more than one batch of details is being captured, and the rest waits.
CAPTURED_NOW, ALL = MAX_KEYS + 20, 6 * MAX_KEYS + 5
BATCH_WRITE = 25


@pytest.fixture
def backlog(cloud: Cloud) -> Cloud:
    """A partition of the index with records in two states, and one whose entry is behind: it is a success by now."""
    items = []
    for number in range(ALL):
        is_claimed = number < CAPTURED_NOW
        claim = {"workerId": f"w-{number % 3}", "claimedAt": NOW_MS} if is_claimed else {}
        times = {"queuedAt": QUEUED_FROM_MS + number, "updatedAt": QUEUED_FROM_MS + number}
        status = Status.PROCESSING if is_claimed else Status.QUEUED
        item = {"id": f"id-{number:03}", "url": "u", "status": status, "indexShard": "queued#7", **times, **claim}
        items.append(to_attributes(item))
    items.append(to_attributes({"id": "done", "status": "success", "indexShard": "queued#7", "updatedAt": NOW_MS}))
    for start in range(0, len(items), BATCH_WRITE):
        requests: Any = [{"PutRequest": {"Item": item}} for item in items[start : start + BATCH_WRITE]]
        cloud.clients.dynamodb.batch_write_item(RequestItems={cloud.settings.table_name: requests})
    return cloud


def pages(cloud: Cloud, status: Status, limit: int, since_ms: int = 0) -> list[list[Record]]:
    """All pages of a list."""
    records = RecordList(cloud.clients, cloud.settings)
    found = [records.page(status, since_ms, limit=limit)]
    while found[-1].cursor is not None:
        assert len(found) < ALL
        found.append(records.page(status, since_ms, cursor=found[-1].cursor, limit=limit))
    return [page.records for page in found]


@pytest.mark.parametrize("limit", [7, MAX_KEYS])
def test_a_list_has_each_record_of_its_status_once(backlog: Cloud, limit: int) -> None:
    for status, numbers in ((Status.PROCESSING, range(CAPTURED_NOW)), (Status.QUEUED, range(CAPTURED_NOW, ALL))):
        # Given / When all pages of a list are read
        found = pages(backlog, status, limit)
        # Then each record of the status is in them once, with its details, and no page is longer than it may be
        assert max(map(len, found)) <= limit
        ids = sorted(record.id for page in found for record in page)
        assert ids == [f"id-{number:03}" for number in numbers]
        # And the iterator of the command has the same
        assert sorted(each.id for each in Archive(backlog.clients, backlog.settings).records(status)) == ids
    assert {record.worker_id for page in pages(backlog, Status.PROCESSING, limit) for record in page} == {
        "w-0", "w-1", "w-2",
    }  # fmt: skip


def test_a_list_begins_at_a_time(backlog: Cloud) -> None:
    since_ms = QUEUED_FROM_MS + ALL - 2
    found = pages(backlog, Status.QUEUED, 10, since_ms)
    assert [record.id for page in found for record in page] == [f"id-{ALL - 2:03}", f"id-{ALL - 1:03}"]


def test_the_monitor_counts_all_that_is_captured_and_reads_little_of_what_waits(backlog: Cloud) -> None:
    # Given the calls of a status snapshot
    calls = backlog.count_calls()
    # When it is read
    snapshot = SnapshotReader(backlog.clients, backlog.settings, ServiceMetrics(connect_cloudwatch(), True)).read(60)
    # Then it has both states, and read no details once some hundreds in a row were not being captured
    assert (snapshot.processing, snapshot.workers) == (CAPTURED_NOW, ["w-0", "w-1", "w-2"])
    assert snapshot.queued == ALL - CAPTURED_NOW + 1
    assert abs(snapshot.oldest_seconds - (snapshot.at - QUEUED_FROM_MS / 1000)) < 1
    assert calls.count("BatchGetItem") == 2 + MAX_QUIET_READS


def test_the_monitor_sees_what_is_captured_behind_records_whose_messages_are_gone(cloud: Cloud) -> None:
    # Given a partition that begins with two hundred records that nobody will ever capture, as the queue was purged
    for number in range(205):
        status = Status.PROCESSING if number >= 200 else Status.QUEUED
        item = {"id": f"id-{number:03}", "url": "u", "status": status, "indexShard": "queued#7", "updatedAt": number}
        cloud.clients.dynamodb.put_item(TableName=cloud.settings.table_name, Item=to_attributes(item))
    # When a status snapshot is read
    snapshot = SnapshotReader(cloud.clients, cloud.settings, ServiceMetrics(connect_cloudwatch(), True)).read(60)
    # Then it has those that are captured behind them
    assert (snapshot.processing, snapshot.queued) == (5, 200)


def test_keys_that_were_not_processed_are_asked_for_again(backlog: Cloud) -> None:
    # Given a table that answers one key in each call, as DynamoDB may when it throttles
    asked: list[int] = []

    def answer_one(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        (request,) = params["RequestItems"].values()
        context["left"] = request["Keys"][1:]
        asked.append(len(request["Keys"]))
        assert request["ConsistentRead"]
        request["Keys"] = request["Keys"][:1]

    def keep_rest(parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        left = context["left"]
        parsed["UnprocessedKeys"] = {backlog.settings.table_name: {"Keys": left}} if left else {}

    events = backlog.clients.dynamodb.meta.events
    events.register_first("before-parameter-build.dynamodb.BatchGetItem", answer_one)
    events.register_last("after-call.dynamodb.BatchGetItem", keep_rest)
    # When records are read
    found = Archive(backlog.clients, backlog.settings).records_by_id(["id-001", "id-002", "id-003"])
    # Then all of them come
    assert sorted(found) == ["id-001", "id-002", "id-003"]
    assert asked == [3, 2, 1]
