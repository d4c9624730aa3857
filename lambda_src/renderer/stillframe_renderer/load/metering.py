"""What each capture takes of its worker: CPU time and time that is billed, shared out among those that are under way.

A browser does not say for which page it works; captures that are under way at the same time are taken to take the same.
Over all captures the sum is exact.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from stillframe.cost import Cost

# To look takes as much CPU time as a hundredth of a small page.
FRESH_SECONDS = 0.02


@dataclass(slots=True)
class Account:
    """Of one capture, in seconds. It grows until its block is left."""

    memory_mb: int
    cpu_seconds: float = 0.0
    billed_seconds: float = 0.0

    @property
    def cost(self) -> Cost:
        return Cost(round(self.cpu_seconds * 1000), round(self.billed_seconds * 1000), self.memory_mb)


class Meter:
    """Of one worker. `cpu_seconds` is the CPU time of all that belongs to it, so far."""

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
        self._cpu = 0.0
        self._time = 0.0

    @contextlib.contextmanager
    def account(self) -> Iterator[Account]:
        """The account of a capture that is under way for as long as the block."""
        account = Account(self._memory_mb)
        with self._lock:
            # Of busy tabs one begins when another ends, which has just looked.
            if self._monotonic() - self._time >= FRESH_SECONDS:
                self._share_out()
            self._open.append(account)
        try:
            yield account
        finally:
            with self._lock:
                self._share_out()
                # By identity: accounts are equal where their figures are.
                self._open = [each for each in self._open if each is not account]

    def _share_out(self) -> None:
        """What was taken since the last time goes to those that are open; what nobody was there for is nobody's."""
        cpu, now = self._cpu_seconds(), self._monotonic()
        for account in self._open:
            account.cpu_seconds += (cpu - self._cpu) / len(self._open)
            account.billed_seconds += (now - self._time) / len(self._open)
        self._cpu, self._time = cpu, now
