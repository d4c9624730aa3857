"""How many pages are open at once: found by measurement, between a floor and a ceiling.

Pages wait more than they compute, so one at a time leaves the CPU idle, while too many use up memory and each takes
longer. The right number depends on the pages and is found from the worker's CPU usage: see docs/performance.md.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator

# Below this share of the CPUs, more tabs are tried.
SPARE_CPU_SHARE = 0.95
# Above this share of the CPUs, fewer tabs may do.
SATURATED_CPU_SHARE = 0.99
# Above this share of the browser's memory limit, the number of tabs is multiplied by the factor below.
MAX_MEMORY_SHARE = 0.80
MEMORY_SHRINK_FACTOR = 0.75
# Every additional tab brings less than the one before it, so the number grows faster than in proportion to the spare
# CPU share, but at most doubles.
GROWTH_EXPONENT = 1.5
MAX_GROWTH_FACTOR = 2.0
# An adjustment needs this many captures per tab, and a period long enough to measure.
MIN_CAPTURES_PER_TAB = 1
MIN_PERIOD_SECONDS = 0.25
# After this many adjustments the pages may have changed: numbers that were too small are tried again.
FORGET_AFTER = 20


class TabGate:
    """Limits how many captures run at once.

    `cpu_share` returns the share of the CPUs in use since its last call, `memory_share` the browser's memory as a share
    of its limit.
    """

    def __init__(
        self,
        floor: int,
        ceiling: int,
        start: int,
        cpu_share: Callable[[], float],
        memory_share: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ceiling = ceiling
        self._floor = floor
        self._width = min(max(start, floor), ceiling)
        self._cpu_share = cpu_share
        self._memory_share = memory_share
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._inside = 0
        self._waiting = 0
        # Captures that have ended since the last adjustment, and when that was.
        self._ended = 0
        self._adjusted_at: float | None = None
        self._adjustments = 0
        # The largest number of tabs that was found to be too small.
        self._too_few = 0

    @property
    def width(self) -> int:
        """The number of tabs that may be open at this moment."""
        return self._width

    @contextlib.contextmanager
    def acquire(self) -> Iterator[None]:
        """Wait for a tab, and keep it for the duration of the block."""
        with self._changed:
            if self._adjusted_at is None:
                self._start_measuring()
            self._waiting += 1
            self._changed.wait_for(lambda: self._inside < self._width)
            self._waiting -= 1
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._ended += 1
                if self._floor < self.ceiling:
                    self._adjust()
                self._inside -= 1
                # Wake no more than can enter: waking others for nothing takes CPU time from the pages.
                self._changed.notify(max(0, self._width - self._inside))

    def _start_measuring(self) -> None:
        self._cpu_share()
        self._adjusted_at = self._monotonic()

    def _adjust(self) -> None:
        """Choose the number of tabs anew if enough has happened since the last time."""
        assert self._adjusted_at is not None
        now = self._monotonic()
        if self._ended < self._width * MIN_CAPTURES_PER_TAB or now - self._adjusted_at < MIN_PERIOD_SECONDS:
            return
        # Idle tabs say nothing about how many there should be.
        is_busy = self._inside >= self._width
        cpu, memory = self._cpu_share(), self._memory_share()
        self._ended, self._adjusted_at = 0, now
        self._adjustments += 1
        if self._adjustments % FORGET_AFTER == 0:
            self._too_few = 0
        if memory > MAX_MEMORY_SHARE:
            self._width = max(self._floor, math.floor(self._width * MEMORY_SHRINK_FACTOR))
        elif is_busy and cpu < SPARE_CPU_SHARE:
            self._too_few = max(self._too_few, self._width)
            if self._waiting:
                factor = min(MAX_GROWTH_FACTOR, (SPARE_CPU_SHARE / max(cpu, 0.01)) ** GROWTH_EXPONENT)
                self._width = min(self.ceiling, max(self._width + 1, math.floor(self._width * factor)))
        elif is_busy and cpu > SATURATED_CPU_SHARE and self._width - 1 > self._too_few:
            self._width = max(self._floor, self._width - 1)
