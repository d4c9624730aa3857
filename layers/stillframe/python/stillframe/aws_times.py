"""How long the AWS calls of one delivery take, so that "AWS is slow" can be told from "the CPU is busy".

A delivery is processed in one thread, so the times belong to that thread's context (PEP 567). Outside of a delivery
nothing is measured.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from contextvars import ContextVar

from stillframe.clock import Clock


class AwsTimes:
    """Milliseconds by call, with the SDK's own retries. A call within another one counts as part of that one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._is_timing = False
        self.ms: Counter[str] = Counter()

    @contextlib.contextmanager
    def add(self, call: str) -> Iterator[None]:
        """Add the duration of the block, whether or not it raises."""
        if self._is_timing:
            yield
            return
        started_ms, self._is_timing = self._clock.now_ms(), True
        try:
            yield
        finally:
            # A clock may be set back.
            self.ms[call] += max(0, self._clock.now_ms() - started_ms)
            self._is_timing = False


_current: ContextVar[AwsTimes | None] = ContextVar("aws_times", default=None)


@contextlib.contextmanager
def tracked_aws_times(clock: Clock) -> Iterator[AwsTimes]:
    """The times of all AWS calls that this thread makes in the block."""
    times = AwsTimes(clock)
    token = _current.set(times)
    try:
        yield times
    finally:
        _current.reset(token)


@contextlib.contextmanager
def timed(call: str) -> Iterator[None]:
    """Count the block as an AWS call with this name: `claim`, `put`, `complete` or another wire name."""
    times = _current.get()
    with times.add(call) if times is not None else contextlib.nullcontext():
        yield
