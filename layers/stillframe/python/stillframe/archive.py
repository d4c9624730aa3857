"""Reads what is stored: records from the table, images and extra objects from the bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stillframe.clients import Clients
from stillframe.refused import UnknownScreenshot
from stillframe.settings import Settings
from stillframe.table.attributes import ID, item_key
from stillframe.table.index_keys import IndexKeys
from stillframe.table.record import INDEXED_STATUSES, Record, Status, index_shards
from stillframe.table.table import Table

# BatchGetItem takes at most 100 keys.
MAX_KEYS = 100
# In the key of every item that is no record, and in no screenshot id (stillframe.request.options.wire.ID_PATTERN).
OTHER_ITEM_MARK = "#"


def is_record(item: Mapping[str, Any]) -> bool:
    """Whether an item of the table is a record, and not a slot, a count, an attempt or whatever else is beside them."""
    return OTHER_ITEM_MARK not in item[ID]["S"]


class Archive:
    """Read access to the table and the bucket."""

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings

    def record(self, screenshot_id: str) -> Record | None:
        """Read the record of an id consistently. Returns None when there is none."""
        item = Table(self._clients.dynamodb, self._settings.table_name).get(screenshot_id)
        return Record.model_validate(item) if item is not None else None

    def records_by_id(self, screenshot_ids: Sequence[str]) -> dict[str, Record]:
        """Read the records of up to 100 ids consistently. Ids without a record are left out; ids may repeat."""
        table, records = self._settings.table_name, {}
        # BatchGetItem takes each key once.
        request: Any = {table: {"Keys": [item_key(each) for each in dict.fromkeys(screenshot_ids)]}}
        while request.get(table, {}).get("Keys"):
            request[table]["ConsistentRead"] = True
            answer = self._clients.dynamodb.batch_get_item(RequestItems=request)
            for item in answer["Responses"].get(table, []):
                record = Record.from_item(item)
                records[record.id] = record
            # Keys are left over when the answer reaches 16 MB, or when DynamoDB throttles.
            request = answer.get("UnprocessedKeys", {})
        return records

    def image(self, record: Record) -> bytes:
        """Download the image of a record."""
        answer = self._clients.s3.get_object(Bucket=self._settings.bucket_name, Key=record.s3_key or "")
        return answer["Body"].read()

    def object_at(self, url: str) -> bytes:
        """Download an extra object by its URL in the record."""
        bucket, _, key = url.removeprefix("s3://").partition("/")
        return self._clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def require(self, screenshot_id: str) -> Record:
        """Read the record of an id consistently. Raises UnknownScreenshot when there is none."""
        record = self.record(screenshot_id)
        if record is None:
            raise UnknownScreenshot.of(screenshot_id)
        return record

    def records(self, status: Status | None = None, since_ms: int = 0) -> Iterator[Record]:
        """Read records by status and time of the last change (milliseconds since the epoch), in no order.

        The index has the keys of unfinished and failed records, whose details are read from the table. It has no
        successes, so that reading them, or all records, scans the whole table.
        """
        if status in INDEXED_STATUSES:
            yield from self._read_index(status, since_ms)
            return
        for record in self.all_records():
            if status in (None, record.status) and record.changed_at >= since_ms:
                yield record

    def all_records(self) -> Iterator[Record]:
        """Read all records consistently, page by page."""
        pages = self._clients.dynamodb.get_paginator("scan").paginate(
            TableName=self._settings.table_name, ConsistentRead=True
        )
        for page in pages:
            yield from map(Record.from_item, filter(is_record, page["Items"]))

    def _read_index(self, status: Status, since_ms: int) -> Iterator[Record]:
        index = IndexKeys(self._clients.dynamodb, self._settings.table_name)
        # The index does not know when a record was claimed.
        since_in_index_ms = 0 if status is Status.PROCESSING else since_ms
        for shard in index_shards(status):
            start: dict[str, Any] | None = None
            while True:
                ids, start = index.page(shard, since_in_index_ms, start=start)
                for position in range(0, len(ids), MAX_KEYS):
                    yield from self._chosen(ids[position : position + MAX_KEYS], status, since_ms)
                if start is None:
                    break

    def _chosen(self, ids: Sequence[str], status: Status, since_ms: int) -> Iterator[Record]:
        """Those of the records that have the status by now, and have changed since a time."""
        found = self.records_by_id(ids).values()
        return (record for record in found if record.status is status and record.changed_at >= since_ms)
