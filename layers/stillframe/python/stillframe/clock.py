"""Time as an argument, so that leases and deadlines can be tested without waiting."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Wall-clock time. Leases are compared across workers, so monotonic time would not do."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch."""


class SystemClock:
    """The clock of this machine."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class Deadline:
    """A point in time that a job must not outlive."""

    def __init__(self, at_ms: int, clock: Clock) -> None:
        self.at_ms = at_ms
        self._clock = clock

    def remaining_seconds(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, (self.at_ms - self._clock.now_ms()) / 1000)
