"""The stored keys: items beside the records, with a hash of each key and never the key itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from stillframe.aws_errors import translated_errors
from stillframe.clients import Clients
from stillframe.clock import Clock, SystemClock
from stillframe.refused import Refused
from stillframe.settings import Settings
from stillframe.table import side_items
from stillframe.table.attributes import (
    CREATED_AT,
    ID,
    KEY_HASH,
    REVOKED_AT,
    TENANT,
    TENANT_SHARD,
    from_attributes,
    to_attributes,
)
from stillframe.table.record import TENANT_INDEX
from stillframe.table.table import Table

from .api_key import ApiKey
from .limits import Limits

# A screenshot id cannot contain this character, so such an item is never in the place of a record.
PREFIX = "key#"
# The partition of all keys in the index of tenants. No tenant's own partition ends without a number.
KEYS_PARTITION = "#keys"
# How long a revoked key is listed, in seconds.
REVOKED_SECONDS = 90 * 24 * 3600


class UnknownKey(Refused):
    """There is no key with the id."""

    code = "UNKNOWN_KEY"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What is known about a key. Times are milliseconds since the epoch; `revoked_at` is None while it is valid."""

    id: str
    tenant: str
    limits: Limits
    created_at: int
    revoked_at: int | None = None

    @classmethod
    def from_item(cls, item: dict[str, Any]) -> Self:
        """Read an item of the table."""
        return cls(
            id=item[ID].removeprefix(PREFIX),
            tenant=item[TENANT],
            limits=Limits.model_validate(item),
            created_at=item[CREATED_AT],
            revoked_at=item.get(REVOKED_AT),
        )

    def to_wire(self) -> dict[str, Any]:
        """Wire names. The hash is nobody's business."""
        revoked = {REVOKED_AT: self.revoked_at} if self.revoked_at is not None else {}
        return {ID: self.id, TENANT: self.tenant, **self.limits.to_wire(), CREATED_AT: self.created_at, **revoked}


class KeyStore:
    """Creates, finds, lists and revokes keys. Every method raises ServiceUnavailable when AWS does not do as asked."""

    def __init__(self, clients: Clients, settings: Settings, clock: Clock | None = None) -> None:
        self._dynamodb = clients.dynamodb
        self._table_name = settings.table_name
        self._table = Table(clients.dynamodb, settings.table_name)
        self._clock = clock or SystemClock()

    def create(self, tenant: str, limits: Limits) -> tuple[ApiKey, StoredKey]:
        """Make a key for a tenant. Nobody can find out its text later."""
        key, now_ms = ApiKey.new(), self._clock.now_ms()
        values = {TENANT: tenant, KEY_HASH: key.sha256, CREATED_AT: now_ms, TENANT_SHARD: KEYS_PARTITION}
        written = self._table.update(PREFIX + key.id, side_items.create_key({**values, **limits.to_wire()}, now_ms))
        # Ids have 59 bits: a second key with the same one is a broken source of random numbers.
        assert written.is_applied, "a key with this id exists"
        return key, StoredKey(key.id, tenant, limits, now_ms)

    def find(self, text: str) -> StoredKey | None:
        """The valid key with this text. None if there is none: malformed, unknown, or revoked.

        It is read consistently and never cached, so that a revoked key is refused from the next request on.
        """
        key = ApiKey.parse(text)
        item = self._table.get(PREFIX + key.id) if key is not None else None
        if key is None or item is None or not key.is_of(item[KEY_HASH]) or REVOKED_AT in item:
            return None
        return StoredKey.from_item(item)

    def list(self) -> list[StoredKey]:
        """All keys, the oldest first, and for 90 days those that were revoked. A new key is listed within seconds."""
        arguments: dict[str, Any] = {
            "TableName": self._table_name,
            "IndexName": TENANT_INDEX,
            "KeyConditionExpression": f"{TENANT_SHARD} = :keys",
            "ExpressionAttributeValues": to_attributes({":keys": KEYS_PARTITION}),
        }
        with translated_errors("query"):
            pages = self._dynamodb.get_paginator("query").paginate(**arguments)
            found = [from_attributes(item) for page in pages for item in page["Items"]]
        return sorted(map(StoredKey.from_item, found), key=lambda key: (key.created_at, key.id))

    def revoke(self, key_id: str) -> StoredKey:
        """End a key for good. Raises UnknownKey. Revoking it again changes nothing."""
        now_ms = self._clock.now_ms()
        update = side_items.revoke_key(now_ms, now_ms // 1000 + REVOKED_SECONDS)
        if not self._table.update(PREFIX + key_id, update).is_applied:
            raise UnknownKey(f"There is no key with the id {key_id}. `stillframe keys list` shows all.")
        item = self._table.get(PREFIX + key_id)
        assert item is not None
        return StoredKey.from_item(item)
