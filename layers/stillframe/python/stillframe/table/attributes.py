"""Attribute names of the table's items, and the conversion between Python values and DynamoDB's typed form."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

# Every item. The partition key of a record is its screenshot id.
ID = "id"
EXPIRES_AT = "expiresAt"

# Records.
STATUS = "status"
URL = "url"
OPTIONS = "options"
PAYLOAD_HASH = "payloadHash"
TENANT = "tenant"
METADATA = "metadata"
WEBHOOK = "webhook"
ATTEMPTS = "attempts"
WORKER_ID = "workerId"
MESSAGE_ID = "messageId"
CLAIM_TOKEN = "claimToken"  # noqa: S105  # the name of an attribute
LEASE_EXPIRES_AT = "leaseExpiresAt"
QUEUED_AT = "queuedAt"
CLAIMED_AT = "claimedAt"
UPDATED_AT = "updatedAt"
ERROR_CODE = "errorCode"
ERROR_MESSAGE = "errorMessage"
INDEX_SHARD = "indexShard"
TENANT_SHARD = "tenantShard"
S3_KEY = "s3Key"

# The other items: slots of hosts, wait counts, last captures, attempts of webhooks, keys, quotas, usage, watches and
# their digests.
HOLDER = "holder"
WAIT_COUNT = "turn"
LAST_SCREENSHOT_ID = "captureId"
IGNORED_BOXES = "ignoredBoxes"
REFERENCE_ID = "referenceId"
CANDIDATE = "candidate"
IS_REPORTED = "isReported"
ATTEMPT_LIST = "tried"
KEY_HASH = "keyHash"
CREATED_AT = "createdAt"
REVOKED_AT = "revokedAt"
REQUESTS = "requests"
CAPTURES = "captures"
USD = "usd"
WATCH = "watch"
TOLD_UNTIL = "toldUntil"
VERSION = "version"
# Names the write that changed a counter last, so that a call that is sent again does not count twice.
LAST_WRITE = "lastWrite"


# The smallest positive number that DynamoDB holds ("Data types", Number).
MIN_NUMBER = 1e-130


def to_attributes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Convert Python values to DynamoDB's typed form; floats become exact decimals of their shortest text."""
    serializer = TypeSerializer()
    return {name: serializer.serialize(_to_decimal(value)) for name, value in values.items()}


def from_attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    """Convert DynamoDB's typed form to Python values; whole numbers become int."""
    deserializer = TypeDeserializer()
    return {name: _from_decimal(deserializer.deserialize(value)) for name, value in item.items()}


def item_key(value: str) -> dict[str, Any]:
    """The `Key` argument for the item with this partition key."""
    return to_attributes({ID: value})


def _to_decimal(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, float):
        return Decimal(str(value)) if abs(value) >= MIN_NUMBER else Decimal(0)
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
