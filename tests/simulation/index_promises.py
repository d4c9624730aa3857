"""What the index promises about a record: who lists unfinished and failed records finds it, and claiming is free."""

from __future__ import annotations

from typing import Any

from stillframe.table.attributes import INDEX_SHARD, UPDATED_AT
from stillframe.table.record import INDEXED_STATUSES, Status, index_shards

from .promise import Promise

KEYS = (INDEX_SHARD, UPDATED_AT)


def index_problem(was: dict[str, Any], now: dict[str, Any]) -> tuple[Promise, str] | None:
    """The promise that a write of a record breaks, and how."""
    status = Status(now["status"])
    shard = now.get(INDEX_SHARD) if UPDATED_AT in now else None
    if status in INDEXED_STATUSES and shard not in index_shards(status):
        return Promise.IS_LISTED, f"is {status}, and in {shard or 'no partition'} of the index"
    if status is Status.SUCCESS and shard is not None:
        return Promise.IS_LISTED, "is a success, and has not left the index"
    is_claim = (was.get("status"), status) == (Status.QUEUED, Status.PROCESSING)
    if is_claim and any(was.get(key) != now.get(key) for key in KEYS):
        return Promise.CLAIM_IS_FREE, "was moved in the index"
    return None
