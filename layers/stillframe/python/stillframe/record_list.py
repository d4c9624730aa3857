"""Lists records page by page: each page takes a bounded number of calls, and has the cursor of the next one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stillframe.archive import Archive, is_record
from stillframe.aws_errors import translated_errors
from stillframe.clients import Clients
from stillframe.errors import InvalidRequest
from stillframe.settings import Settings
from stillframe.table.attributes import CLAIMED_AT, ID, INDEX_SHARD, STATUS, TENANT_SHARD, UPDATED_AT, to_attributes
from stillframe.table.index_keys import IndexKeys
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
# A status has at most so many partitions: its own, and those of an earlier version.
MAX_SHARDS = 2 * INDEX_SHARDS
# The whole index of a status can be read in this many calls, each with one for the details. A scan reads 1 MB in each.
MAX_CALLS = MAX_SHARDS


class Cursor(BaseModel):
    """Where a page begins: in a scan after `id`, in the index after `id` and `updated_at` of one shard."""

    model_config = ConfigDict(extra="forbid", strict=True)

    status: Status | None = Field(default=None, strict=False)
    since_ms: int = 0
    shard: Annotated[int, Field(ge=0, lt=MAX_SHARDS)] = 0
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
    """The partitions of an index that a list reads, and the status that it wants of their records, None for all.

    An index has whole records, or `has_keys_only`.
    """

    index: str
    partition_key: str
    shards: tuple[str, ...]
    status: Status | None = None
    has_keys_only: bool = False

    @classmethod
    def of(cls, status: Status | None, tenant: str | None) -> IndexPart | None:
        """Where records are that have this status and this tenant; None if no index has all of them."""
        if tenant is not None:
            return cls(TENANT_INDEX, TENANT_SHARD, tenant_shards(tenant), status)
        if status not in INDEXED_STATUSES:
            return None
        return cls(INDEX_NAME, INDEX_SHARD, index_shards(status), status, has_keys_only=True)


class RecordList:
    """Records by status and time of the last change (milliseconds since the epoch).

    Those of a tenant come from its own partitions of an index. Of all tenants, unfinished and failed records come from
    the keys in another index, and are read from the table; for successes, and for all records, the table is scanned.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._dynamodb = clients.dynamodb
        self._table = settings.table_name
        self._archive = Archive(clients, settings)
        self._keys = IndexKeys(clients.dynamodb, settings.table_name)

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
            found, following = self._read(part, following, left)
            page.records += [each for each in found if tenant is None or each.id.startswith(tenant + SEPARATOR)]
        page.cursor = following.encode() if following is not None else None
        return page

    def _read(self, part: IndexPart | None, at: Cursor, limit: int) -> tuple[list[Record], Cursor | None]:
        """Read up to `limit` records, of which few may be wanted, and where to go on."""
        if part is not None and part.has_keys_only:
            return self._look_up(part, at, min(limit, MAX_RECORDS))
        items, following = self._query(part, at, limit) if part is not None else self._scan(at, limit)
        return [Record.from_item(item) for item in items if is_record(item)], following

    def _look_up(self, part: IndexPart, at: Cursor, limit: int) -> tuple[list[Record], Cursor | None]:
        """Read the records whose keys are in one shard, and keep those that have the status by now."""
        with translated_errors("query"):
            ids, last = self._keys.page(part.shards[at.shard], _since_in_index(part, at), limit, _start_key(part, at))
        with translated_errors("batch get item"):
            found = self._archive.records_by_id(ids) if ids else {}
        wanted = [each for each in found.values() if each.status is part.status and each.changed_at >= at.since_ms]
        return wanted, _following(part, at, last)

    def _query(self, part: IndexPart, at: Cursor, limit: int) -> tuple[list[Any], Cursor | None]:
        """Read from one shard of the index. The cursor leads to the rest of the shard, or to the next one."""
        shard = part.shards[at.shard]
        values: dict[str, Any] = {":shard": shard, ":since": _since_in_index(part, at)}
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
        if part.status is Status.PROCESSING:
            values[":changed"] = at.since_ms
            arguments["FilterExpression"] += f" AND {CLAIMED_AT} >= :changed"
        arguments["ExpressionAttributeValues"] = to_attributes(values)
        start = _start_key(part, at)
        if start is not None:
            arguments["ExclusiveStartKey"] = start
        with translated_errors("query"):
            answer = self._dynamodb.query(**arguments)
        return answer["Items"], _following(part, at, answer.get("LastEvaluatedKey"))

    def _scan(self, at: Cursor, limit: int) -> tuple[list[Any], Cursor | None]:
        """Read some items of the table, of which few may be wanted."""
        names, values = [UPDATED_AT, CLAIMED_AT], dict[str, Any]({":since": at.since_ms})
        wanted = f"(#{UPDATED_AT} >= :since OR #{CLAIMED_AT} >= :since)"
        if at.status:
            names, values = [*names, STATUS], {**values, ":status": at.status}
            wanted += f" AND #{STATUS} = :status"
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "FilterExpression": wanted,
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            "ExpressionAttributeValues": to_attributes(values),
            "Limit": limit,
        }
        if at.id is not None:
            arguments["ExclusiveStartKey"] = to_attributes({ID: at.id})
        with translated_errors("scan"):
            answer = self._dynamodb.scan(**arguments)
        last = answer.get("LastEvaluatedKey")
        return answer["Items"], at.model_copy(update={"id": last[ID]["S"]}) if last else None


def _since_in_index(part: IndexPart, at: Cursor) -> int:
    """From when on an index is read: it does not know when a record was claimed."""
    return 0 if part.status is Status.PROCESSING else at.since_ms


def _start_key(part: IndexPart, at: Cursor) -> dict[str, Any] | None:
    """After which key a query of the index begins, None for the beginning of the shard."""
    if at.id is None:
        return None
    return to_attributes({part.partition_key: part.shards[at.shard], UPDATED_AT: at.updated_at, ID: at.id})


def _following(part: IndexPart, at: Cursor, last: Mapping[str, Any] | None) -> Cursor | None:
    """Where to go on after the last key that a query has read: in the shard, in the next one, or nowhere."""
    if last:
        return at.model_copy(update={"id": last[ID]["S"], "updated_at": int(last[UPDATED_AT]["N"])})
    if at.shard + 1 < len(part.shards):
        return at.model_copy(update={"shard": at.shard + 1, "id": None, "updated_at": None})
    return None
