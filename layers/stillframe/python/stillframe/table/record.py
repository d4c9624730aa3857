"""The record of one screenshot: the item in the table, and the index that lists what needs attention."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from pydantic import ConfigDict, Field

from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options import WireModel

PARTITION_KEY = "id"
TIME_TO_LIVE = "expiresAt"
# Sparse: only records that carry `indexShard` are in it, and a success gives the attribute up.
INDEX_NAME = "unfinished"
INDEX_PARTITION_KEY = "indexShard"
INDEX_SORT_KEY = "updatedAt"
# One index partition takes 1,000 writes a second; a capture writes the index three times at most.
INDEX_SHARDS = 16


class Status(StrEnum):
    """Where a screenshot stands."""

    QUEUED = "queued"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILED = "failed"


INDEXED_STATUSES = (Status.QUEUED, Status.PROCESSING, Status.FAILED)


class Record(WireModel):
    """What the table knows of one screenshot. Times are milliseconds since the epoch, `expires_at` seconds."""

    # A newer version may have added attributes; an older reader shall not fail on them.
    model_config = ConfigDict(extra="ignore")

    id: str
    status: Status
    url: str = ""
    options: dict[str, Any] = Field(default_factory=dict)
    payload_hash: str = ""
    s3_url: str | None = None
    s3_key: str | None = None
    content_type: str | None = None
    bytes: int | None = None
    width: int | None = None
    height: int | None = None
    sha256: str | None = None
    http_status: int | None = None
    final_url: str | None = None
    title: str | None = None
    description: str | None = None
    page_content_type: str | None = None
    redirects: list[str] | None = None
    tls_issuer: str | None = None
    tls_expires_at: int | None = None
    console_errors: list[str] | None = None
    requests: int | None = None
    failed_requests: int | None = None
    transferred_bytes: int | None = None
    timings: dict[str, int] | None = None
    page_height: int | None = None
    height_capped: bool | None = None
    settled: bool | None = None
    unsettled: str | None = None
    blank: bool | None = None
    blocked: dict[str, int] | None = None
    ads_blocked: int | None = None
    cookie_banner: str | None = None
    perceptual_hash: str | None = None
    left_out: dict[str, str] | None = None
    compared_to: str | None = None
    changed: bool | None = None
    difference: float | None = None
    comparison_problem: str | None = None
    extras: dict[str, str] | None = None
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
    estimated_usd: dict[str, float] | None = None
    error_code: str | None = None
    error_message: str | None = None
    expires_at: int | None = None

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Read a DynamoDB item in its typed form (`{"id": {"S": ...}}`)."""
        return cls.model_validate(from_attributes(item))

    def to_wire(self) -> dict[str, Any]:
        """Wire names, without what is not known."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def queued_item(request: CaptureRequest, now_ms: int, retention_seconds: int) -> dict[str, Any]:
    """The item a producer writes before it sends the message."""
    return to_attributes(
        {
            PARTITION_KEY: request.id,
            "status": Status.QUEUED,
            "url": request.recorded_url,
            "options": request.recorded_options,
            "payloadHash": request.payload_hash,
            "attempts": 0,
            "queuedAt": now_ms,
            INDEX_SORT_KEY: now_ms,
            TIME_TO_LIVE: now_ms // 1000 + retention_seconds,
            INDEX_PARTITION_KEY: index_shard(Status.QUEUED, request.id),
        }
    )


def index_shard(status: Status, screenshot_id: str) -> str:
    """The index partition of a record: spread by id, so that no status becomes one hot partition."""
    return f"{status}#{int(id_digest(screenshot_id)[:8], 16) % INDEX_SHARDS}"


def index_shards(status: Status) -> tuple[str, ...]:
    """All index partitions in which records of a status are found."""
    return tuple(f"{status}#{shard}" for shard in range(INDEX_SHARDS))


def id_digest(screenshot_id: str) -> str:
    """SHA-256 of a screenshot id in hex: spreads keys in the bucket and records in the index."""
    return hashlib.sha256(screenshot_id.encode()).hexdigest()


def to_attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Python values to DynamoDB's typed form; floats become exact decimals of their shortest text."""
    serializer = TypeSerializer()
    return {name: serializer.serialize(_to_decimal(value)) for name, value in values.items()}


def from_attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    """DynamoDB's typed form to Python values; numbers become int where they are whole."""
    deserializer = TypeDeserializer()
    return {name: _from_decimal(deserializer.deserialize(value)) for name, value in item.items()}


def _to_decimal(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, Mapping):
        return {key: _to_decimal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_decimal(item) for item in value]
    return value


def _from_decimal(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {key: _from_decimal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_from_decimal(item) for item in value]
    return value
