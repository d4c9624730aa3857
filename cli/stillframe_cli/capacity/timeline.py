"""A load and the workers that follow it, second by second, in simpy's time. Messages are a fluid, not objects."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import simpy

from .load_profile import LoadProfile
from .scaling import Scaler, Seen
from .worker import CPU_TARGET

# After the last message, the simulation goes on for as long as there is a backlog, but no longer than that.
LONGEST_TAIL = 6 * 3600
# And then for the workers to go.
QUIET_TAIL = 1800
SATURATED = 0.95


@dataclass(frozen=True, slots=True)
class Second:
    """One second: messages that came, that are waiting, that were captured, and the workers."""

    at: int
    arrived: float
    backlog: float
    captured: float
    workers: int
    # How long the message that is captured now has waited.
    waited: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """All seconds of a simulated load."""

    seconds: list[Second]

    @property
    def longest_wait(self) -> float:
        return max((each.waited for each in self.seconds), default=0.0)

    @property
    def most_workers(self) -> int:
        return max((each.workers for each in self.seconds), default=0)

    @property
    def worker_seconds(self) -> int:
        return sum(each.workers for each in self.seconds)

    def by_minute(self) -> list[dict[str, Any]]:
        """The last second of each minute, with what came and was captured in it; wire names."""
        rows = []
        for start in range(0, len(self.seconds), 60):
            minute = self.seconds[start : start + 60]
            last = minute[-1]
            rows.append(
                {
                    "minute": start // 60,
                    "arrived": round(sum(each.arrived for each in minute)),
                    "captured": round(sum(each.captured for each in minute)),
                    "backlog": round(last.backlog),
                    "workers": last.workers,
                    "waitedSeconds": round(max(each.waited for each in minute), 1),
                }
            )
        return rows


def simulate(profile: LoadProfile, scaler: Scaler, per_worker: float) -> Timeline:
    """Workers that capture so many a second each, under a load."""
    environment = simpy.Environment()
    seconds: list[Second] = []

    def run() -> Generator[Any, None, None]:
        backlog, quiet = 0.0, 0
        # Messages by the second in which they came: the first to come is the first to go, roughly, as SQS has it.
        waiting: deque[list[float]] = deque()
        share = 0.0
        while True:
            now = int(environment.now)
            arrived = profile.rate(now)
            if arrived:
                waiting.append([float(now), arrived])
            backlog += arrived
            workers = scaler.step(Seen(now, backlog, share))
            capacity = workers * per_worker
            captured = min(backlog, capacity)
            # Workers have the tabs that bring them to their target; a backlog brings them beyond it.
            share = SATURATED if backlog > captured else CPU_TARGET * captured / capacity if capacity else 0.0
            waited = _take(waiting, captured, now)
            backlog = max(0.0, backlog - captured)
            seconds.append(Second(now, arrived, backlog, captured, workers, waited))
            quiet = quiet + 1 if backlog < 1 and now > profile.seconds else 0
            if quiet > QUIET_TAIL or now > profile.seconds + LONGEST_TAIL:
                return
            yield environment.timeout(1)

    environment.process(run())
    environment.run()
    return Timeline(seconds)


def _take(waiting: deque[list[float]], count: float, now: int) -> float:
    """Take so many of those that came first; how long the last of them has waited, in seconds."""
    waited = 0.0
    while count > 1e-9 and waiting:
        came, left = waiting[0]
        waited = now - came
        if left > count:
            waiting[0][1] = left - count
            break
        count -= left
        waiting.popleft()
    return waited
