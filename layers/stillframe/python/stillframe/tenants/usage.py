"""What each tenant's captures have cost in a month, counted by the workers that made them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stillframe.clock import Clock
from stillframe.table import side_items
from stillframe.table.attributes import CAPTURES, USD
from stillframe.table.table import Table

# A screenshot id cannot contain this character, so such an item is never in the place of a record.
PREFIX = "usage#"
# A month is kept for a year, so that this year's can be compared with the last.
RETENTION_SECONDS = 400 * 24 * 3600


@dataclass(frozen=True, slots=True)
class MonthlyUsage:
    """The captures of a tenant in a month (`2026-11`, UTC), and what all its deliveries have cost in USD."""

    tenant: str
    month: str
    captures: int = 0
    usd: float = 0.0

    def to_wire(self) -> dict[str, Any]:
        """Wire names."""
        return {"tenant": self.tenant, "month": self.month, CAPTURES: self.captures, USD: round(self.usd, 6)}


class UsageBook:
    """An item of the table for each tenant and month. Every method raises ServiceUnavailable."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def read(self, tenant: str) -> MonthlyUsage:
        """The present month of a tenant."""
        month = month_of(self._clock.now_ms())
        item = self._table.get(_key(tenant, month)) or {}
        return MonthlyUsage(tenant, month, item.get(CAPTURES, 0), float(item.get(USD, 0)))

    def add(self, tenant: str, captures: int, usd: float) -> None:
        """Count a delivery. A call that the SDK sends again, because its answer was lost, does not count twice."""
        now_ms = self._clock.now_ms()
        update = side_items.add_usage(captures, usd, uuid.uuid4().hex, now_ms // 1000 + RETENTION_SECONDS)
        self._table.update(_key(tenant, month_of(now_ms)), update)


def month_of(now_ms: int) -> str:
    """The month of a time in milliseconds since the epoch, in UTC."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m")


def seconds_to_next_month(now_ms: int) -> int:
    """How long the month of a time still lasts, at least a second."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    following = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
    return max(1, int((following - now).total_seconds()))


def _key(tenant: str, month: str) -> str:
    return f"{PREFIX}{tenant}#{month}"
