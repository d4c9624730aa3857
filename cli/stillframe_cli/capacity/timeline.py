"""Simulates second by second how workers follow a load.

Messages are modelled as a fluid and not one by one, so that the time a simulation takes does not depend on the load.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import simpy

from .load_profile import LoadProfile
from .scaling import Observation, Scaler
from .worker import CPU_TARGET

# After the last message, the simulation goes on while there is a backlog, but at most for this long.
MAX_TAIL_SECONDS = 6 * 3600
# Then it goes on for this long, so that the workers can scale in.
QUIET_SECONDS = 1800
# CPU share of workers that have a backlog.
SATURATED_CPU_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Second:
    """One simulated second: messages that arrived, wait and were captured, and the workers.

    `waited` is how long the messages captured in this second had waited, in seconds.
    """

    at: int
    arrived: float
    backlog: float
    captured: float
    workers: int
    waited: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """All seconds of a simulation."""

    seconds: list[Second]

    @property
    def longest_wait(self) -> float:
        return max((each.waited for each in self.seconds), default=0.0)

    def by_minute(self) -> list[dict[str, Any]]:
        """Return a summary of each minute under its wire names: totals of the minute, and the state at its end."""
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
    """Simulate a load. `per_worker` is the number of captures per second of one worker."""
    environment = simpy.Environment()
    seconds: list[Second] = []

    def run_load() -> Generator[Any, None, None]:
        backlog, quiet = 0.0, 0
        # Pairs of (second of arrival, number of messages). Like SQS, roughly first in, first out.
        waiting: deque[list[float]] = deque()
        cpu_share = 0.0
        while True:
            now = int(environment.now)
            arrived = profile.rate(now)
            if arrived:
                waiting.append([float(now), arrived])
            backlog += arrived
            workers = scaler.step(Observation(now, backlog, cpu_share))
            capacity = workers * per_worker
            captured = min(backlog, capacity)
            # At full capacity the tabs of a worker bring its CPU to the target; a backlog brings it beyond.
            cpu_share = (
                SATURATED_CPU_SHARE if backlog > captured else CPU_TARGET * captured / capacity if capacity else 0.0
            )
            waited = _remove_oldest(waiting, captured, now)
            backlog = max(0.0, backlog - captured)
            seconds.append(Second(now, arrived, backlog, captured, workers, waited))
            quiet = quiet + 1 if backlog < 1 and now > profile.seconds else 0
            if quiet > QUIET_SECONDS or now > profile.seconds + MAX_TAIL_SECONDS:
                return
            yield environment.timeout(1)

    environment.process(run_load())
    environment.run()
    return Timeline(seconds)


def _remove_oldest(waiting: deque[list[float]], count: float, now: int) -> float:
    """Remove the `count` oldest messages. Returns how long the newest of them has waited, in seconds."""
    waited = 0.0
    while count > 1e-9 and waiting:
        arrived_at, left = waiting[0]
        waited = now - arrived_at
        if left > count:
            waiting[0][1] = left - count
            break
        count -= left
        waiting.popleft()
    return waited
