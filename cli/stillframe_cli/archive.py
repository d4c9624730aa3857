"""Reading what the service has stored: records, lists of records, images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stillframe.clients import Clients
from stillframe.settings import Settings
from stillframe.table import host_limit, last_capture, wait_count
from stillframe.table.record import (
    INDEX_NAME,
    INDEXED_STATUSES,
    PARTITION_KEY,
    Record,
    Status,
    index_shards,
    to_attributes,
)

OTHERS = (last_capture.PREFIX, host_limit.PREFIX, wait_count.PREFIX)


class Archive:
    """The table and the bucket, as a reader sees them."""

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings

    def record(self, screenshot_id: str) -> Record | None:
        """The record of an id, read consistently, or None."""
        answer = self._clients.dynamodb.get_item(
            TableName=self._settings.table_name, Key=to_attributes({PARTITION_KEY: screenshot_id}), ConsistentRead=True
        )
        return Record.from_item(answer["Item"]) if "Item" in answer else None

    def records_of(self, capture_ids: list[str]) -> dict[str, Record]:
        """The records of up to 100 ids, by id, read consistently; those that are not there are left out.

        An id may be given twice, though BatchGetItem takes each key once.
        """
        table, found = self._settings.table_name, {}
        asked: Any = {table: {"Keys": [to_attributes({PARTITION_KEY: each}) for each in dict.fromkeys(capture_ids)]}}
        while asked.get(table, {}).get("Keys"):
            asked[table]["ConsistentRead"] = True
            answer = self._clients.dynamodb.batch_get_item(RequestItems=asked)
            for item in answer["Responses"].get(table, []):
                record = Record.from_item(item)
                found[record.id] = record
            # A page of 16 MB, or throttling: what is left is asked for again.
            asked = answer.get("UnprocessedKeys", {})
        return found

    def image(self, record: Record) -> bytes:
        """The bytes of a record's object."""
        answer = self._clients.s3.get_object(Bucket=self._settings.bucket_name, Key=record.s3_key or "")
        return answer["Body"].read()

    def object_at(self, url: str) -> bytes:
        """The bytes of an object beside an image, by its url in the record."""
        bucket, _, key = url.removeprefix("s3://").partition("/")
        return self._clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def records(self, status: Status | None = None, since_ms: int = 0) -> Iterator[Record]:
        """Records by status and time of the last change, in no order.

        What is unfinished or failed comes from the index; a success has left it, so asking for successes,
        or for everything, reads the whole table.
        """
        if status in INDEXED_STATUSES:
            yield from self._indexed(status, since_ms)
            return
        for record in self.all_records():
            if status in (None, record.status) and (record.updated_at or 0) >= since_ms:
                yield record

    def all_records(self) -> Iterator[Record]:
        """Every record, page by page, read consistently."""
        pages = self._clients.dynamodb.get_paginator("scan").paginate(
            TableName=self._settings.table_name, ConsistentRead=True
        )
        for page in pages:
            # Beside the records the table has series, slots of hosts and turns; no record's id begins so.
            yield from (Record.from_item(item) for item in page["Items"] if not item["id"]["S"].startswith(OTHERS))

    def _indexed(self, status: Status, since_ms: int) -> Iterator[Record]:
        paginator = self._clients.dynamodb.get_paginator("query")
        for shard in index_shards(status):
            arguments: dict[str, Any] = {
                "TableName": self._settings.table_name,
                "IndexName": INDEX_NAME,
                "KeyConditionExpression": "indexShard = :shard AND updatedAt >= :since",
                "ExpressionAttributeValues": to_attributes({":shard": shard, ":since": since_ms}),
            }
            for page in paginator.paginate(**arguments):
                yield from map(Record.from_item, page["Items"])
