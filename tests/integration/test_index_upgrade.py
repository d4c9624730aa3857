"""A deployment of version 0.1: its records are listed before, while and after its table gets the present index."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stillframe.archive import Archive
from stillframe.clients import connect_cloudwatch
from stillframe.record_list import RecordList
from stillframe.settings import Settings
from stillframe.table.attributes import to_attributes
from stillframe.table.index_keys import IndexKeys
from stillframe.table.record import FORMER_INDEX_NAME, INDEX_NAME, Status
from stillframe_cli.metrics import ServiceMetrics
from stillframe_cli.provision import create_table
from stillframe_cli.status_snapshot import SnapshotReader
from tests.support.cloud import Cloud

NOW_MS = int(time.time() * 1000)
# As version 0.1 has left them: a claim has moved its record to a partition of its own.
RECORDS: dict[str, dict[str, Any]] = {
    "waiting": {"status": "queued", "indexShard": "queued#3", "attempts": 0},
    "claimed": {"status": "processing", "indexShard": "processing#4", "workerId": "w-1", "claimedAt": NOW_MS},
    "broken": {"status": "failed", "indexShard": "failed#5", "errorCode": "UNKNOWN_HOST"},
    "done": {"status": "success", "s3Url": "s3://b/done.png"},
}
# And as the present version claims one that was queued.
CLAIMED_SINCE: dict[str, Any] = {
    "status": "processing",
    "indexShard": "queued#6",
    "workerId": "w-2",
    "claimedAt": NOW_MS,
}


@pytest.fixture
def former(cloud: Cloud) -> Settings:
    """A table with the index of version 0.1, and its records."""
    dynamodb: Any = cloud.clients.dynamodb
    name = f"{cloud.settings.table_name}-former"
    described = dynamodb.describe_table(TableName=cloud.settings.table_name)["Table"]
    (index,) = [each for each in described["GlobalSecondaryIndexes"] if each["IndexName"] == INDEX_NAME]
    former = {"IndexName": FORMER_INDEX_NAME, "Projection": {"ProjectionType": "ALL"}}
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=described["KeySchema"],
        AttributeDefinitions=[each for each in described["AttributeDefinitions"] if "tenant" not in str(each)],
        GlobalSecondaryIndexes=[{**former, "KeySchema": index["KeySchema"]}],
    )
    for each, values in {**RECORDS, "claimed-since": CLAIMED_SINCE}.items():
        times = {"queuedAt": NOW_MS - 60_000, "updatedAt": NOW_MS - 60_000}
        item: Any = to_attributes({"id": each, "url": "https://example.com/", **times, **values})
        dynamodb.put_item(TableName=name, Item=item)
    return cloud.settings.model_copy(update={"table_name": name})


def listed(cloud: Cloud, settings: Settings) -> dict[str, set[str]]:
    """What `list`, the API and `monitor` have of each state."""
    by_status = {
        status.value: {each.id for each in Archive(cloud.clients, settings).records(status)} for status in Status
    }
    pages = {status.value: {each.id for each in read_pages(cloud, settings, status)} for status in Status}
    assert pages == by_status
    snapshot = SnapshotReader(cloud.clients, settings, ServiceMetrics(connect_cloudwatch(), True)).read(60)
    assert snapshot.queued == len(by_status["queued"])
    assert snapshot.workers == ["w-1", "w-2"]
    assert 60 <= snapshot.oldest_seconds < 600
    return by_status


def read_pages(cloud: Cloud, settings: Settings, status: Status) -> list[Any]:
    records: list[Any] = []
    cursor: str | None = None
    for _ in range(100):
        page = RecordList(cloud.clients, settings).page(status, cursor=cursor, limit=1)
        records += page.records
        cursor = page.cursor
        if cursor is None:
            return records
    raise AssertionError("the list does not end")


ALL = {"queued": {"waiting"}, "processing": {"claimed", "claimed-since"}, "failed": {"broken"}, "success": {"done"}}


def test_nothing_becomes_invisible_while_a_deployment_is_upgraded(cloud: Cloud, former: Settings) -> None:
    # Given the present version on a table that has only the former index: the present one is not there or not built yet
    assert listed(cloud, former) == ALL
    # When the table gets the present index, which DynamoDB fills with the records that are there
    create_table(cloud.clients.dynamodb, former.table_name)
    # Then it is read, and has the same
    assert indexes_of(cloud, former) == {INDEX_NAME, FORMER_INDEX_NAME, "tenants"}
    assert listed(cloud, former) == ALL
    # And when the former one is deleted, nothing changes
    change: Any = [{"Delete": {"IndexName": FORMER_INDEX_NAME}}]
    cloud.clients.dynamodb.update_table(TableName=former.table_name, GlobalSecondaryIndexUpdates=change)
    assert FORMER_INDEX_NAME not in indexes_of(cloud, former)
    assert listed(cloud, former) == ALL


def indexes_of(cloud: Cloud, settings: Settings) -> set[str]:
    described: Any = cloud.clients.dynamodb.describe_table(TableName=settings.table_name)["Table"]
    return {each["IndexName"] for each in described["GlobalSecondaryIndexes"]}


class Refusing:
    """A client of DynamoDB that refuses to read one index or both, with the code and words that AWS has for that."""

    def __init__(self, code: str, *names: str) -> None:
        self._code = code
        self._names = names
        self.asked: list[str] = []

    def query(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(arguments["IndexName"])
        if arguments["IndexName"] in self._names:
            message = f"Cannot read from backfilling global secondary index: {arguments['IndexName']}"
            raise ClientError({"Error": {"Code": self._code, "Message": message}}, "Query")
        return {"Items": [{"id": {"S": "a"}}]}


@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException"])
def test_the_former_index_is_read_while_the_present_one_cannot_be(code: str) -> None:
    client: Any = Refusing(code, INDEX_NAME)
    assert IndexKeys(client, "t").page("queued#1") == (["a"], None)
    assert client.asked == [INDEX_NAME, FORMER_INDEX_NAME]


def test_an_index_that_cannot_be_read_at_all_is_an_error_about_the_present_one() -> None:
    client: Any = Refusing("ValidationException", INDEX_NAME, FORMER_INDEX_NAME)
    with pytest.raises(ClientError, match=INDEX_NAME):
        IndexKeys(client, "t").page("queued#1")


def test_a_table_that_is_throttled_is_no_reason_to_read_another_index() -> None:
    client: Any = Refusing("ThrottlingException", INDEX_NAME)
    with pytest.raises(ClientError, match="ThrottlingException"):
        IndexKeys(client, "t").page("queued#1")
    assert client.asked == [INDEX_NAME]
