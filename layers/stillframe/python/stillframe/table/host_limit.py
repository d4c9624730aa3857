"""The host limit: how many captures of one host's pages may run at once, across all workers."""

from __future__ import annotations

import contextlib
import logging
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from stillframe.clock import Clock
from stillframe.egress.hosts import canonical_host_of
from stillframe.errors import HostBusy, TransientError
from stillframe.table import side_items
from stillframe.table.table import Table

logger = logging.getLogger(__name__)

# A screenshot id cannot contain this character, so such an item is never in the place of a record.
PREFIX = "slot#"
# How long a message waits at first, and at most, while its host is busy. Waiting messages must come back often enough
# to keep the host's slots in use, and seldom enough not to be a load of their own.
MIN_WAIT_CEILING_SECONDS = 4
MAX_WAIT_SECONDS = 60
# The table's time to live removes a slot that nobody has used for this long.
RETENTION_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Slot:
    """One of a host's slots, held under a token until it is released or its lease expires."""

    key: str
    token: str


class HostLimit:
    """An item of the table for each slot, taken under a lease: a worker that dies holds its slot no longer than that.

    Costs two writes a capture, and up to one for each slot while the host is busy.
    """

    def __init__(self, table: Table, max_per_host: int, clock: Clock, rng: random.Random | None = None) -> None:
        self._table = table
        self._max_per_host = max_per_host
        self._clock = clock
        self._rng = rng or random.Random()  # spreads waiting messages; nothing depends on secrecy

    @contextlib.contextmanager
    def slot(self, url: str, lease_ms: int) -> Iterator[None]:
        """Hold a slot of the URL's host for the block. Raises as `acquire` does."""
        slot = self.acquire(url, lease_ms)
        try:
            yield
        finally:
            try:
                self.release(slot)
            except TransientError as error:
                # Its lease ends it anyway, and what was captured is captured.
                logger.warning("could not release a slot of the host", extra={"error": error.message})

    def acquire(self, url: str, lease_ms: int) -> Slot | None:
        """Take a slot of the URL's host; None when hosts are not limited, or the URL names none.

        Raises HostBusy when all slots are taken, ServiceUnavailable when the table does not answer.
        """
        host = _limited_host(url)
        if not self._max_per_host or not host:
            return None
        numbers = list(range(self._max_per_host))
        # Workers try the slots in different orders, so that fewer of them collide.
        self._rng.shuffle(numbers)
        token = uuid.uuid4().hex
        for number in numbers:
            slot = Slot(f"{PREFIX}{host}#{number}", token)
            update = side_items.take_slot(token, self._clock.now_ms(), lease_ms, RETENTION_SECONDS)
            if self._table.update(slot.key, update).is_applied:
                return slot
        raise HostBusy(f"{self._max_per_host} captures of {host} are running, which is the limit for one host")

    def release(self, slot: Slot | None) -> None:
        """Give a slot back, unless another worker has taken it over. Raises ServiceUnavailable."""
        if slot is not None:
            update = side_items.release_slot(slot.token, self._clock.now_ms(), RETENTION_SECONDS)
            self._table.update(slot.key, update)

    def wait_seconds(self, waits: int) -> int:
        """How long a message waits that has waited this often before: exponential, with full jitter."""
        ceiling = min(MAX_WAIT_SECONDS, MIN_WAIT_CEILING_SECONDS * 2 ** min(waits, 10))
        return max(1, round(self._rng.uniform(0, ceiling)))


def _limited_host(url: str) -> str:
    """The canonical host of a URL, whose length is bounded; empty if it has none or an invalid one."""
    try:
        return canonical_host_of(url)
    except ValueError:
        return ""
