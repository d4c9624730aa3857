"""How many pages are open at once: by measurement, between a floor and a ceiling.

Pages wait more than they compute, so that one at a time leaves the CPU idle; too many take memory, and each takes
longer. The right number depends on the pages, and is found by what the worker's CPU says: see docs/performance.md.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator

# Below, there is time to spare; above, none, and fewer may do.
SPARE = 0.95
SATURATED = 0.99
# Of the memory that the browser may have.
MUCH_MEMORY = 0.80
LESS = 0.75
# Each tab more brings less than the one before it, so that more are taken than in proportion; never more than double.
LESS_FOR_EACH = 1.5
MOST_AT_ONCE = 2.0
# One look judges that many captures for each tab, and never a moment that is too short to tell.
CAPTURES_FOR_EACH_TAB = 1
SHORTEST_SECONDS = 0.25
# After so many looks the pages may have become others: what was too few is tried again.
FORGET_AFTER = 20


class TabGate:
    """A gate that lets so many captures in at once. `cpu_share` is that of the time since it was asked last."""

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
        self._ended = 0
        self._looks = 0
        self._too_few = 0
        self._looked_at: float | None = None

    @property
    def width(self) -> int:
        """How many may be open at this moment."""
        return self._width

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Wait for a tab, and have it for the block."""
        with self._changed:
            if self._looked_at is None:
                self._begin()
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
                    self._look()
                self._inside -= 1
                # No more than can go in: each one woken for nothing takes CPU time from a page.
                self._changed.notify(max(0, self._width - self._inside))

    def _begin(self) -> None:
        self._cpu_share()
        self._looked_at = self._monotonic()

    def _look(self) -> None:
        """Decide again, once enough has happened since the last time."""
        assert self._looked_at is not None
        now = self._monotonic()
        if self._ended < self._width * CAPTURES_FOR_EACH_TAB or now - self._looked_at < SHORTEST_SECONDS:
            return
        # Idle tabs say nothing of how many there should be.
        is_busy = self._inside >= self._width
        cpu, memory = self._cpu_share(), self._memory_share()
        self._ended, self._looked_at = 0, now
        self._looks += 1
        if self._looks % FORGET_AFTER == 0:
            self._too_few = 0
        if memory > MUCH_MEMORY:
            self._width = max(self._floor, math.floor(self._width * LESS))
        elif is_busy and cpu < SPARE:
            self._too_few = max(self._too_few, self._width)
            if self._waiting:
                wanted = math.floor(self._width * min(MOST_AT_ONCE, (SPARE / max(cpu, 0.01)) ** LESS_FOR_EACH))
                self._width = min(self.ceiling, max(self._width + 1, wanted))
        elif is_busy and cpu > SATURATED and self._width - 1 > self._too_few:
            self._width = max(self._floor, self._width - 1)
