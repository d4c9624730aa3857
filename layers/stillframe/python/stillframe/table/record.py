"""The record of one screenshot, as the table holds it, and the index that lists the records that need attention."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import ConfigDict, Field, model_validator

from stillframe.image.page_facts import PageFacts
from stillframe.image.shot import StoredShot
from stillframe.request.envelope import Webhook
from stillframe.table.attributes import INDEX_SHARD, STATUS, TENANT_SHARD, UPDATED_AT, from_attributes
from stillframe.table.implied import with_implied

# Sparse: only records that carry the partition key are in the index, and a success gives it up. It has keys alone, and
# a claim changes none of them, so that a capture writes the index twice: when it is queued and when it is completed.
INDEX_NAME = "unfinished-keys"
# The index of versions up to 0.1, which has whole records under the same keys. stillframe.table.index_keys reads it for
# as long as the present one is being built.
FORMER_INDEX_NAME = "unfinished"
INDEX_PARTITION_KEY = INDEX_SHARD
INDEX_SORT_KEY = UPDATED_AT
# One index partition takes 1,000 writes a second.
INDEX_SHARDS = 16
# Sparse as well: the records that have a tenant, by tenant and time. The keys of tenants have a partition of their own.
TENANT_INDEX = "tenants"
TENANT_INDEX_PARTITION_KEY = TENANT_SHARD
TENANT_INDEX_SORT_KEY = UPDATED_AT
# A capture writes this index four times, at the end by moving an entry: eight partitions take 2,000 captures a second.
TENANT_SHARDS = 8


class Status(StrEnum):
    """The state of a screenshot; stillframe.table.transitions has the diagram."""

    QUEUED = "queued"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILED = "failed"


# The token fences the writes of a claim's holder. No reader needs it.
HIDDEN = {"claim_token"}
INDEXED_STATUSES = (Status.QUEUED, Status.PROCESSING, Status.FAILED)
# A claim leaves a record where it was queued. Versions up to 0.1 moved it to a partition of its own.
_PARTITIONS = {
    Status.QUEUED: (Status.QUEUED, Status.PROCESSING),
    Status.PROCESSING: (Status.PROCESSING, Status.QUEUED),
    Status.FAILED: (Status.FAILED,),
}


class Record(PageFacts):
    """Everything the table knows about one screenshot, including the facts about its page.

    Times are milliseconds since the epoch; `expires_at` is in seconds. `updated_at` is when the record was last queued
    or ended; a claim, whose time is `claimed_at`, leaves it, because it is a key of the index.
    """

    # A newer version may have added attributes, on which an older reader must not fail.
    model_config = ConfigDict(extra="ignore")

    id: str
    status: Status
    url: str = ""
    options: dict[str, Any] = Field(default_factory=dict)
    payload_hash: str = ""
    tenant: str | None = None
    metadata: dict[str, str] | None = None
    # Its path may be a secret of the receiver's: no reader of the record needs it.
    webhook: Webhook | None = Field(default=None, exclude=True)
    s3_url: str | None = None
    s3_key: str | None = None
    content_type: str | None = None
    bytes: int | None = None
    width: int | None = None
    height: int | None = None
    sha256: str | None = None
    extras: dict[str, str] | None = None
    shots: list[StoredShot] | None = None
    attempts: int = 0
    worker_id: str | None = None
    message_id: str | None = None
    lease_expires_at: int | None = None
    claim_token: str | None = None
    queued_at: int | None = None
    claimed_at: int | None = None
    updated_at: int | None = None
    duration_ms: int | None = None
    cpu_ms: int | None = None
    billed_ms: int | None = None
    memory_mb: int | None = None
    estimated_usd: dict[str, float] | None = None
    error_code: str | None = None
    error_message: str | None = None
    expires_at: int | None = None

    @model_validator(mode="before")
    @classmethod
    def add_implied(cls, item: Any) -> Any:
        """What a stored success does not hold because it is as it nearly always is (stillframe.table.implied)."""
        is_success = isinstance(item, Mapping) and item.get(STATUS) == Status.SUCCESS
        return with_implied(item) if is_success else item

    @property
    def changed_at(self) -> int:
        """When its status changed last, in milliseconds since the epoch: a claim leaves `updated_at`."""
        return max(self.updated_at or 0, self.claimed_at or 0)

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Read a DynamoDB item in its typed form (`{"id": {"S": ...}}`)."""
        return cls.model_validate(from_attributes(item))

    def to_wire(self) -> dict[str, Any]:
        """The record as its readers see it, by wire names, without what it does not have."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=HIDDEN)


def index_shard(status: Status, screenshot_id: str) -> str:
    """The index partition of a record: spread by id, so that no status becomes one hot partition.

    A record that is processing is where it was queued.
    """
    name = Status.FAILED if status is Status.FAILED else Status.QUEUED
    return f"{name}#{int(id_digest(screenshot_id)[:8], 16) % INDEX_SHARDS}"


def index_shards(status: Status) -> tuple[str, ...]:
    """All index partitions that hold records of a status. They may hold others as well."""
    return tuple(f"{name}#{shard}" for name in _PARTITIONS[status] for shard in range(INDEX_SHARDS))


def tenant_shard(tenant: str, screenshot_id: str) -> str:
    """The partition of a tenant's record in the index of tenants, spread by id."""
    return f"{tenant}#{int(id_digest(screenshot_id)[:8], 16) % TENANT_SHARDS}"


def tenant_shards(tenant: str) -> tuple[str, ...]:
    """All partitions that hold records of a tenant."""
    return tuple(f"{tenant}#{shard}" for shard in range(TENANT_SHARDS))


def id_digest(screenshot_id: str) -> str:
    """The SHA-256 of a screenshot id in hex: spreads keys in the bucket and records in the index."""
    return hashlib.sha256(screenshot_id.encode()).hexdigest()
