"""What each delivery costs its worker: CPU time and billed time, divided among the deliveries in progress.

A browser does not say which page it is working for, so deliveries in progress at the same time are charged equally. The
sum over all of them is exact, those that fail, are retried or are skipped included.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stillframe.cost import Cost

# A measurement takes as much CPU time as a hundredth of a small page, so one that is this recent is not repeated.
MIN_INTERVAL_SECONDS = 0.02


@dataclass(slots=True)
class Account:
    """The time charged to one delivery, in seconds. It grows until the delivery ends."""

    memory_mb: int
    cpu_seconds: float = 0.0
    billed_seconds: float = 0.0

    @property
    def cost(self) -> Cost:
        return Cost(round(self.cpu_seconds * 1000), round(self.billed_seconds * 1000), self.memory_mb)


class Meter:
    """Charges a worker's time to its deliveries. `cpu_seconds` returns the CPU time of all its processes so far."""

    def __init__(
        self,
        cpu_seconds: Callable[[], float],
        memory_mb: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cpu_seconds = cpu_seconds
        self._memory_mb = memory_mb
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._open: list[Account] = []
        # The CPU time and the time of the last measurement.
        self._cpu = 0.0
        self._time = 0.0

    @contextlib.contextmanager
    def account(self) -> Iterator[Account]:
        """The account of a delivery that is in progress for the duration of the block."""
        account = Account(self._memory_mb)
        with self._lock:
            # When all tabs are busy, a capture begins as another one ends, which has just measured.
            if self._monotonic() - self._time >= MIN_INTERVAL_SECONDS:
                self._charge()
            self._open.append(account)
        try:
            yield account
        finally:
            with self._lock:
                self._charge()
                # Compared by identity: accounts with the same figures are equal.
                self._open = [each for each in self._open if each is not account]

    def read(self, account: Account) -> Cost:
        """What an open account has been charged for by now."""
        with self._lock:
            self._charge()
            return account.cost

    def _charge(self) -> None:
        """Divide the time since the last measurement among the open accounts. Idle time is charged to none."""
        cpu, now = self._cpu_seconds(), self._monotonic()
        for account in self._open:
            account.cpu_seconds += (cpu - self._cpu) / len(self._open)
            account.billed_seconds += (now - self._time) / len(self._open)
        self._cpu, self._time = cpu, now
