"""At most so many captures at once of pages of one host, over all workers."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from stillframe.clock import Clock
from stillframe.errors import HostBusy
from stillframe.table.record import TIME_TO_LIVE
from stillframe.table.update import Update

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Its own token is there already when the answer to the write was lost and the SDK sends it again.
FREE = "attribute_not_exists(holder) OR leaseExpiresAt < :now OR holder = :mine"
HELD = "holder = :mine"
# No screenshot id has this character, so no record is where such an item is.
PREFIX = "slot#"
# How long a message whose host is busy waits at first, and at most: all that wait must come often enough to keep the
# host's slots in use, and seldom enough not to be a load of their own.
FIRST_TURN_SECONDS = 4
LONGEST_TURN_SECONDS = 60
# An item that nobody has used for so long is of no use: the table's time to live removes it.
KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Slot:
    """One of a host's slots, held under a token until it is released or its lease is over."""

    key: str
    token: str


class HostLimit:
    """An item of the table for each slot, taken under a lease: a worker that dies holds its slot no longer than that.

    Costs two writes a capture, and up to one for each slot when the host is busy.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        table_name: str,
        per_host: int,
        clock: Clock,
        rng: random.Random | None = None,
    ) -> None:
        self._client = client
        self._table_name = table_name
        self._per_host = per_host
        self._clock = clock
        self._rng = rng or random.Random()  # spreads what waits, hides nothing

    def take(self, url: str, lease_ms: int) -> Slot | None:
        """A slot of the url's host; None when hosts are not bounded, or the url has none.

        Raises HostBusy when all of them are taken, ServiceUnavailable when the table did not answer.
        """
        host = host_of(url)
        if not self._per_host or not host:
            return None
        numbers = list(range(self._per_host))
        # Whoever comes tries another one first: fewer collide.
        self._rng.shuffle(numbers)
        token = uuid.uuid4().hex
        for number in numbers:
            slot = Slot(f"{PREFIX}{host}#{number}", token)
            if self._write(slot, lease_ms, FREE):
                return slot
        raise HostBusy(f"{self._per_host} captures of {host} are under way, which is all that may be")

    def release(self, slot: Slot | None) -> None:
        """Let others have it. Quiet when it was taken over meanwhile. Raises ServiceUnavailable."""
        if slot is not None:
            self._write(slot, -1, HELD)

    def turn_seconds(self, postponed: int) -> int:
        """How long a message waits that has waited so often: exponential, with full jitter."""
        ceiling = min(LONGEST_TURN_SECONDS, FIRST_TURN_SECONDS * 2 ** min(postponed, 10))
        return max(1, round(self._rng.uniform(0, ceiling)))

    def _write(self, slot: Slot, lease_ms: int, condition: str) -> bool:
        now = self._clock.now_ms()
        values: dict[str, Any] = {":mine": slot.token, **({":now": now} if ":now" in condition else {})}
        update = Update(
            set_values={
                "holder": slot.token,
                "leaseExpiresAt": now + lease_ms,
                TIME_TO_LIVE: now // 1000 + KEPT_SECONDS,
            },
            condition=condition,
            values=values,
        )
        return update.apply(self._client, self._table_name, slot.key)


def host_of(url: str) -> str:
    """The host of a url in lower case, without its port; empty where there is none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
