"""Lists records page by page: each page takes a bounded number of calls, and has the cursor of the next one."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stillframe.archive import is_record
from stillframe.aws_errors import translated_errors
from stillframe.clients import Clients
from stillframe.errors import InvalidRequest
from stillframe.settings import Settings
from stillframe.table.attributes import ID, INDEX_SHARD, STATUS, TENANT_SHARD, UPDATED_AT, to_attributes
from stillframe.table.record import (
    INDEX_NAME,
    INDEX_SHARDS,
    INDEXED_STATUSES,
    TENANT_INDEX,
    Record,
    Status,
    index_shards,
    tenant_shards,
)
from stillframe.tenants.namespace import SEPARATOR

MAX_RECORDS = 100
# A cursor names a key, and DynamoDB's longest has 2 KB ("Constraints in Amazon DynamoDB").
MAX_CURSOR_CHARS = 4096
# The whole index of a status can be read in this many calls. A scan reads 1 MB in each.
MAX_CALLS = INDEX_SHARDS


class Cursor(BaseModel):
    """Where a page begins: in a scan after `id`, in the index after `id` and `updated_at` of one shard."""

    model_config = ConfigDict(extra="forbid", strict=True)

    status: Status | None = Field(default=None, strict=False)
    since_ms: int = 0
    shard: Annotated[int, Field(ge=0, lt=INDEX_SHARDS)] = 0
    id: Annotated[str, Field(min_length=1, max_length=2048)] | None = None
    updated_at: Annotated[int, Field(ge=0, lt=10**16)] | None = None

    def encode(self) -> str:
        """The cursor as text for a URL; nobody but `decode` needs to understand it."""
        text = self.model_dump_json(exclude_defaults=True)
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, status: Status | None, since_ms: int, shards: int | None) -> Cursor:
        """Raises InvalidRequest unless a list with the same status and time has returned this cursor.

        `shards` is the number of partitions that the list reads from an index, None if it reads none.
        """
        try:
            cursor = cls.model_validate_json(base64.b64decode(text + "=" * (-len(text) % 4), "-_", validate=True))
        except (ValidationError, binascii.Error, ValueError) as error:
            raise InvalidRequest("cursor: is none that a list has returned") from error
        if (cursor.status, cursor.since_ms) != (status, since_ms):
            raise InvalidRequest("cursor: belongs to a list with another status or since; leave these as they were")
        is_key_whole = (cursor.id is None) == (cursor.updated_at is None)
        if shards is not None and not (is_key_whole and cursor.shard < shards):
            raise InvalidRequest("cursor: is none that a list has returned")
        return cursor


@dataclass(slots=True)
class Page:
    """Some records in no order, and the cursor of the next page if there may be more. It may have no record at all."""

    records: list[Record] = field(default_factory=list)
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class IndexPart:
    """The partitions of an index that a list reads, and the status that it wants of their records, None for all."""

    index: str
    partition_key: str
    shards: tuple[str, ...]
    status: Status | None = None

    @classmethod
    def of(cls, status: Status | None, tenant: str | None) -> IndexPart | None:
        """Where records are that have this status and this tenant; None if no index has all of them."""
        if tenant is not None:
            return cls(TENANT_INDEX, TENANT_SHARD, tenant_shards(tenant), status)
        return cls(INDEX_NAME, INDEX_SHARD, index_shards(status)) if status in INDEXED_STATUSES else None


class RecordList:
    """Records by status and time of the last change (milliseconds since the epoch).

    Those of a tenant come from its own partitions of an index. Of all tenants, unfinished and failed records come from
    another index; for successes, and for all records, the table is scanned.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._dynamodb = clients.dynamodb
        self._table = settings.table_name

    def page(
        self,
        status: Status | None = None,
        since_ms: int = 0,
        cursor: str | None = None,
        limit: int = MAX_RECORDS,
        tenant: str | None = None,
    ) -> Page:
        """Read one page of up to `limit` records, of all tenants or of one's namespace.

        A cursor says where in the list to go on, and never whose list it is: that of another tenant is a place in the
        caller's own. Raises InvalidRequest for a wrong cursor, or ServiceUnavailable.
        """
        part = IndexPart.of(status, tenant)
        at = Cursor(status=status, since_ms=since_ms)
        if cursor:
            at = Cursor.decode(cursor, status, since_ms, len(part.shards) if part is not None else None)
        page = Page()
        following: Cursor | None = at
        for _ in range(MAX_CALLS):
            if following is None or len(page.records) >= limit:
                break
            left = limit - len(page.records)
            items, following = self._query(part, following, left) if part else self._scan(following, left)
            found = [Record.from_item(item) for item in items if is_record(item)]
            page.records += [each for each in found if tenant is None or each.id.startswith(tenant + SEPARATOR)]
        page.cursor = following.encode() if following is not None else None
        return page

    def _query(self, part: IndexPart, at: Cursor, limit: int) -> tuple[list[Any], Cursor | None]:
        """Read from one shard of the index. The cursor leads to the rest of the shard, or to the next one."""
        shard = part.shards[at.shard]
        values: dict[str, Any] = {":shard": shard, ":since": at.since_ms}
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": part.index,
            "KeyConditionExpression": f"{part.partition_key} = :shard AND {UPDATED_AT} >= :since",
            "Limit": limit,
        }
        if part.status is not None:
            values[":status"] = part.status
            arguments["FilterExpression"] = f"#{STATUS} = :status"
            arguments["ExpressionAttributeNames"] = {f"#{STATUS}": STATUS}
        arguments["ExpressionAttributeValues"] = to_attributes(values)
        if at.id is not None:
            key = {part.partition_key: shard, UPDATED_AT: at.updated_at, ID: at.id}
            arguments["ExclusiveStartKey"] = to_attributes(key)
        with translated_errors("query"):
            answer = self._dynamodb.query(**arguments)
        last = answer.get("LastEvaluatedKey")
        if last:
            where = {"id": last[ID]["S"], "updated_at": int(last[UPDATED_AT]["N"])}
            return answer["Items"], at.model_copy(update=where)
        if at.shard + 1 < len(part.shards):
            return answer["Items"], at.model_copy(update={"shard": at.shard + 1, "id": None, "updated_at": None})
        return answer["Items"], None

    def _scan(self, at: Cursor, limit: int) -> tuple[list[Any], Cursor | None]:
        """Read some items of the table, of which few may be wanted."""
        wanted = to_attributes({":since": at.since_ms, **({":status": at.status} if at.status else {})})
        filters = [f"#{UPDATED_AT} >= :since", *([f"#{STATUS} = :status"] if at.status else [])]
        names = {f"#{UPDATED_AT}": UPDATED_AT, **({f"#{STATUS}": STATUS} if at.status else {})}
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "FilterExpression": " AND ".join(filters),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": wanted,
            "Limit": limit,
        }
        if at.id is not None:
            arguments["ExclusiveStartKey"] = to_attributes({ID: at.id})
        with translated_errors("scan"):
            answer = self._dynamodb.scan(**arguments)
        last = answer.get("LastEvaluatedKey")
        return answer["Items"], at.model_copy(update={"id": last[ID]["S"]}) if last else None
