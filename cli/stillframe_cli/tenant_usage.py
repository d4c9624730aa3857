"""What the tenants with the highest cost have used this month, for those who watch."""

from __future__ import annotations

import time
from collections.abc import Callable

from stillframe.clients import Clients
from stillframe.clock import SystemClock
from stillframe.errors import CaptureError
from stillframe.settings import Settings
from stillframe.table.table import Table
from stillframe.tenants.key_store import KeyStore
from stillframe.tenants.usage import MonthlyUsage, UsageBook

MOST = 10
# A month's figures change slowly, and each tenant is a read.
KEPT_SECONDS = 60.0


class TenantUsage:
    """Reads the usage of all tenants with a key, at most once a minute."""

    def __init__(self, clients: Clients, settings: Settings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._keys = KeyStore(clients, settings)
        self._book = UsageBook(Table(clients.dynamodb, settings.table_name), SystemClock())
        self._monotonic = monotonic
        self._read_at = float("-inf")
        self._found: list[MonthlyUsage] = []

    def read(self) -> list[MonthlyUsage]:
        """The ten tenants whose captures have cost the most; none in a deployment that has no index of tenants yet."""
        if self._monotonic() - self._read_at >= KEPT_SECONDS:
            self._read_at = self._monotonic()
            try:
                tenants = sorted({key.tenant for key in self._keys.list()})
                usage = [self._book.read(tenant) for tenant in tenants]
            except CaptureError:
                usage = []
            self._found = sorted(usage, key=lambda each: (-each.usd, each.tenant))[:MOST]
        return self._found
