"""What has changed since a time, in lists: a claim counts, although the index does not know of it."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.archive import Archive
from stillframe.record_list import RecordList
from stillframe.table.attributes import to_attributes
from stillframe.table.record import Status, index_shard, tenant_shard
from tests.support.cloud import Cloud

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
CLAIMED = {"status": Status.PROCESSING, "updatedAt": NOW_MS - 2 * HOUR_MS, "claimedAt": NOW_MS - 60_000}


def put(cloud: Cloud, name: str, **values: Any) -> None:
    shard = index_shard(values["status"], name)
    item = to_attributes({"id": name, "url": "https://example.com/", "indexShard": shard, **values})
    cloud.clients.dynamodb.put_item(TableName=cloud.settings.table_name, Item=item)


@pytest.fixture
def records(cloud: Cloud) -> Cloud:
    """One that was queued long ago and claimed just now, and two that have not changed for long."""
    put(cloud, "now", **CLAIMED)
    put(cloud, "long-ago", **{**CLAIMED, "claimedAt": NOW_MS - 2 * HOUR_MS})
    put(cloud, "waits", status=Status.QUEUED, updatedAt=NOW_MS - 2 * HOUR_MS)
    return cloud


@pytest.mark.parametrize("status", [Status.PROCESSING, None])
def test_what_was_claimed_since_is_listed(records: Cloud, status: Status | None) -> None:
    since_ms = NOW_MS - HOUR_MS
    # Given / When the records that have changed within an hour are listed by a command and by the API
    by_command = Archive(records.clients, records.settings).records(status, since_ms)
    by_api = RecordList(records.clients, records.settings).page(status, since_ms)
    # Then it is the one that was claimed
    assert [record.id for record in by_command] == ["now"]
    assert [record.id for record in by_api.records] == ["now"]


def test_a_tenant_lists_what_was_claimed_since(cloud: Cloud) -> None:
    for name, claimed_at in (("acme:now", NOW_MS - 60_000), ("acme:long-ago", NOW_MS - 2 * HOUR_MS)):
        values = {**CLAIMED, "claimedAt": claimed_at, "tenant": "acme", "tenantShard": tenant_shard("acme", name)}
        put(cloud, name, **values)
    page = RecordList(cloud.clients, cloud.settings).page(Status.PROCESSING, NOW_MS - HOUR_MS, tenant="acme")
    assert [record.id for record in page.records] == ["acme:now"]
