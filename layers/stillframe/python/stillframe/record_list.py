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
from stillframe.table.attributes import ID, INDEX_SHARD, STATUS, UPDATED_AT, to_attributes
from stillframe.table.record import INDEX_NAME, INDEX_SHARDS, INDEXED_STATUSES, Record, Status, index_shards

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
    def decode(cls, text: str, status: Status | None, since_ms: int) -> Cursor:
        """Raises InvalidRequest unless a list with the same status and time has returned this cursor."""
        try:
            cursor = cls.model_validate_json(base64.b64decode(text + "=" * (-len(text) % 4), "-_", validate=True))
        except (ValidationError, binascii.Error, ValueError) as error:
            raise InvalidRequest("cursor: is none that a list has returned") from error
        if (cursor.status, cursor.since_ms) != (status, since_ms):
            raise InvalidRequest("cursor: belongs to a list with another status or since; leave these as they were")
        is_key_whole = (cursor.id is None) == (cursor.updated_at is None) if status in INDEXED_STATUSES else True
        if not is_key_whole:
            raise InvalidRequest("cursor: is none that a list has returned")
        return cursor


@dataclass(slots=True)
class Page:
    """Some records in no order, and the cursor of the next page if there may be more. It may have no record at all."""

    records: list[Record] = field(default_factory=list)
    cursor: str | None = None


class RecordList:
    """Records by status and time of the last change (milliseconds since the epoch).

    Unfinished and failed records come from the index. For successes, and for all records, the table is scanned.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._dynamodb = clients.dynamodb
        self._table = settings.table_name

    def page(
        self, status: Status | None = None, since_ms: int = 0, cursor: str | None = None, limit: int = MAX_RECORDS
    ) -> Page:
        """Read one page of up to `limit` records. Raises InvalidRequest for a wrong cursor, or ServiceUnavailable."""
        at = Cursor.decode(cursor, status, since_ms) if cursor else Cursor(status=status, since_ms=since_ms)
        read = self._query if status in INDEXED_STATUSES else self._scan
        page = Page()
        following: Cursor | None = at
        for _ in range(MAX_CALLS):
            if following is None or len(page.records) >= limit:
                break
            items, following = read(following, limit - len(page.records))
            page.records += [Record.from_item(item) for item in items if is_record(item)]
        page.cursor = following.encode() if following is not None else None
        return page

    def _query(self, at: Cursor, limit: int) -> tuple[list[Any], Cursor | None]:
        """Read from one shard of the index. The cursor leads to the rest of the shard, or to the next one."""
        assert at.status is not None
        shard = index_shards(at.status)[at.shard]
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": INDEX_NAME,
            "KeyConditionExpression": f"{INDEX_SHARD} = :shard AND {UPDATED_AT} >= :since",
            "ExpressionAttributeValues": to_attributes({":shard": shard, ":since": at.since_ms}),
            "Limit": limit,
        }
        if at.id is not None:
            key = {INDEX_SHARD: shard, UPDATED_AT: at.updated_at, ID: at.id}
            arguments["ExclusiveStartKey"] = to_attributes(key)
        with translated_errors("query"):
            answer = self._dynamodb.query(**arguments)
        last = answer.get("LastEvaluatedKey")
        if last:
            where = {"id": last[ID]["S"], "updated_at": int(last[UPDATED_AT]["N"])}
            return answer["Items"], at.model_copy(update=where)
        if at.shard + 1 < INDEX_SHARDS:
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
