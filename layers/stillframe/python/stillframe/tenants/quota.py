"""Quotas: requests of a tenant in a minute and a day, and USD in a month.

A window is a whole minute or day of UTC, and its counter an item of the table that one conditional write raises: of
parallel requests, exactly as many are let through as there is room for.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import Enum

from stillframe.clock import Clock
from stillframe.table import side_items
from stillframe.table.attributes import LAST_WRITE, REQUESTS
from stillframe.table.table import Table

from .limits import Limits, QuotaExceeded
from .usage import UsageBook, seconds_to_next_month

# A screenshot id cannot contain this character, so such an item is never in the place of a record.
PREFIX = "quota#"
# The time to live removes a counter that no request reads any more.
KEPT_SECONDS = 3600
# When several lists meet at a limit, each tries again for what is left.
MAX_TRIES = 8


class Window(Enum):
    """A length of time in which requests are counted. The value is in seconds."""

    MINUTE = 60
    DAY = 24 * 3600

    @property
    def noun(self) -> str:
        return self.name.lower()

    def limit(self, limits: Limits) -> int | None:
        """The number of requests that these limits allow in a window of this length."""
        return limits.per_minute if self is Window.MINUTE else limits.per_day


@dataclass(frozen=True, slots=True)
class WindowState:
    """What is used of one window, and in how many seconds it ends."""

    window: Window
    limit: int
    used: int
    ends_in_seconds: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class Grant:
    """How many of some requests are let through, the windows afterwards, and why the others are not."""

    number: int
    states: tuple[WindowState, ...] = ()
    refusal: QuotaExceeded | None = None


class Quotas:
    """Counts requests against limits. Every method raises ServiceUnavailable when AWS does not do as asked."""

    def __init__(self, table: Table, usage: UsageBook, clock: Clock) -> None:
        self._table = table
        self._usage = usage
        self._clock = clock

    def take(self, tenant: str, limits: Limits, number: int) -> Grant:
        """Count `number` requests, or as many as there is room for.

        Each costs a write for each limit in requests, and a read for the limit in USD. What is refused for the day has
        still counted for the minute.
        """
        granted, states = number, []
        refusal = self._refuse_expense(tenant, limits)
        if refusal is not None:
            return Grant(0, self.states(tenant, limits), refusal)
        for window in Window:
            limit = window.limit(limits)
            if limit is None:
                continue
            room, state = self._count(tenant, window, limit, granted)
            states.append(state)
            if room < granted:
                what = f"{limit:,} requests a {window.noun}"
                refusal = QuotaExceeded.of(tenant, what, state.ends_in_seconds)
                granted = room
        return Grant(granted, tuple(states), refusal)

    def states(self, tenant: str, limits: Limits) -> tuple[WindowState, ...]:
        """The windows that have a limit, without counting anything."""
        found = []
        for window in Window:
            limit = window.limit(limits)
            if limit is not None:
                item = self._table.get(self._key(tenant, window)) or {}
                found.append(self._state(window, limit, item.get(REQUESTS, 0)))
        return tuple(found)

    def _count(self, tenant: str, window: Window, limit: int, number: int) -> tuple[int, WindowState]:
        """Raise a counter by `number`, or by what there is room for. Returns by how much, and the window afterwards."""
        key, token = self._key(tenant, window), uuid.uuid4().hex
        expires_at = self._clock.now_ms() // 1000 + window.value + KEPT_SECONDS
        wanted, used = min(number, limit), 0
        for _ in range(MAX_TRIES):
            if wanted <= 0:
                break
            update = side_items.count_requests(wanted, limit - wanted, token, expires_at)
            written = self._table.update(key, update, return_old=True)
            before = written.item or {}
            used = before.get(REQUESTS, 0)
            if written.is_applied:
                return wanted, self._state(window, limit, used + wanted)
            if before.get(LAST_WRITE) == token:
                # The SDK repeated a call whose answer was lost.
                return wanted, self._state(window, limit, used)
            wanted = min(wanted, limit - used)
        return 0, self._state(window, limit, used)

    def _refuse_expense(self, tenant: str, limits: Limits) -> QuotaExceeded | None:
        if limits.usd_per_month is None or self._usage.read(tenant).usd < limits.usd_per_month:
            return None
        what = f"{limits.usd_per_month:g} USD a month"
        return QuotaExceeded.of(tenant, what, seconds_to_next_month(self._clock.now_ms()))

    def _state(self, window: Window, limit: int, used: int) -> WindowState:
        return WindowState(window, limit, used, window.value - self._clock.now_ms() // 1000 % window.value)

    def _key(self, tenant: str, window: Window) -> str:
        return f"{PREFIX}{tenant}#{window.noun}#{self._clock.now_ms() // 1000 // window.value}"
