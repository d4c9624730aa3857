"""Models how the event source mapping and the fleet scale under a load, by the rules that AWS documents."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from . import limits

# "Target tracking scaling policies": scale-out needs three minutes above the target, scale-in fifteen minutes below
# 90 % of it.
METRIC_SECONDS = 60
OUT_DATAPOINTS = 3
IN_DATAPOINTS = 15
IN_SHARE = 0.9
BACKLOG_PER_VCPU = 100
OUT_COOLDOWN = 60
IN_COOLDOWN = 300
CPU_TARGET = 0.60
STEP_CPU = 0.85
STEP_SHARE = 0.5
# From the decision to the first capture: the task is placed, its image is pulled, its browser starts.
TASK_START_SECONDS = 60
# Start of an execution environment: measured in the container, with a reserve for loading parts of the image.
ENVIRONMENT_START_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Observation:
    """What a scaler sees in one second: messages waiting, and the share of the workers' CPU in use (0 to 1)."""

    second: int
    backlog: float
    cpu_share: float


def backlog_per_task(waiting: float, running: float) -> float | None:
    """Return what the fleet's policy tracks; None when CloudWatch has no value, as after a division by zero."""
    return waiting / running if running else None


class Scaler(Protocol):
    """Decides on the number of workers."""

    def step(self, observed: Observation) -> int:
        """Advance by one second. Returns the number of workers that process messages in it."""


@dataclass(slots=True)
class MappingScaler:
    """A standard mapping: it starts with 5 concurrent invocations, and adds 300 per minute while messages wait.

    Without messages it returns to 5. `max_workers` is the smallest of the mapping's own limit, its maximum concurrency
    and the reserved concurrency.
    """

    max_workers: int
    per_minute: int = limits.MAPPING_PER_MINUTE
    min_workers: int = limits.MAPPING_START
    _allowed: float = field(default=0.0, init=False)
    _starting: deque[tuple[int, int]] = field(default_factory=deque, init=False)
    _running: int = field(default=0, init=False)

    def step(self, observed: Observation) -> int:
        """Advance by one second. Returns the number of concurrent invocations."""
        lowest = min(self.min_workers, self.max_workers)
        self._allowed = max(self._allowed, float(lowest))
        if observed.backlog > 0:
            self._allowed = min(float(self.max_workers), self._allowed + self.per_minute / 60)
        else:
            self._allowed = max(float(lowest), self._allowed - self.per_minute / 60)
        wanted = int(self._allowed)
        starting = sum(count for _, count in self._starting)
        if wanted > self._running + starting:
            # "Lambda quotas": a function may add 1,000 execution environments every ten seconds.
            new = min(wanted - self._running - starting, limits.ENVIRONMENTS_PER_TEN_SECONDS // 10)
            self._starting.append((observed.second + ENVIRONMENT_START_SECONDS, new))
        while self._starting and self._starting[0][0] <= observed.second:
            self._running += self._starting.popleft()[1]
        self._running = min(self._running, wanted)
        return self._running


def provisioned_mapping(min_pollers: int, max_pollers: int, reserved: int) -> MappingScaler:
    """Return a mapping with provisioned pollers: 10 invocations each, 1,000 more per minute. `reserved` may be 0."""
    max_workers = min(
        max_pollers * limits.POLLER_CONCURRENCY, limits.PROVISIONED_MAX, reserved or limits.PROVISIONED_MAX
    )
    return MappingScaler(max_workers, limits.PROVISIONED_PER_MINUTE, min_pollers * limits.POLLER_CONCURRENCY)


def standard_mapping(max_concurrency: int, reserved: int) -> MappingScaler:
    """Return a mapping with a maximum concurrency. `reserved` is 0 when no concurrency is reserved."""
    return MappingScaler(min(max_concurrency, limits.MAPPING_MAX, reserved or limits.ACCOUNT_CONCURRENCY))


@dataclass(slots=True)
class FleetScaler:
    """Target tracking on backlog per task and on CPU, and step scaling when the CPU is nearly full.

    The policy that asks for the most tasks decides; the fleet shrinks only when both policies ask for fewer ("Multiple
    scaling policies").
    """

    min_tasks: int
    max_tasks: int
    vcpus: float = 1.0
    desired: int = field(default=0, init=False)
    _running: int = field(default=0, init=False)
    _starting: deque[tuple[int, int]] = field(default_factory=deque, init=False)
    # One point per minute: backlog per task and CPU, each as a share of its target.
    _points: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=IN_DATAPOINTS), init=False)
    _out_at: int = field(default=-OUT_COOLDOWN, init=False)
    _in_at: int = field(default=-IN_COOLDOWN, init=False)

    def __post_init__(self) -> None:
        self.desired = self._running = self.min_tasks

    def step(self, observed: Observation) -> int:
        """Advance by one second. Returns the number of running tasks."""
        while self._starting and self._starting[0][0] <= observed.second:
            self._running += self._starting.popleft()[1]
        if observed.second and observed.second % METRIC_SECONDS == 0:
            self._measure(observed)
        return self._running

    def _measure(self, observed: Observation) -> None:
        per_task = backlog_per_task(observed.backlog, self._running)
        # Without a running task neither policy has data, and a policy without data does nothing.
        if per_task is not None:
            self._points.append((per_task / (BACKLOG_PER_VCPU * self.vcpus), observed.cpu_share / CPU_TARGET))
            self._decide(observed)

    def _decide(self, observed: Observation) -> None:
        recent = list(self._points)[-OUT_DATAPOINTS:]
        wanted = self.desired
        for policy in range(2):
            shares = [point[policy] for point in recent]
            if len(shares) == OUT_DATAPOINTS and min(shares) > 1:
                wanted = max(wanted, math.ceil(self._running * shares[-1]))
        if observed.cpu_share >= STEP_CPU:
            wanted = max(wanted, math.ceil(self.desired * (1 + STEP_SHARE)))
        if wanted > self.desired and observed.second - self._out_at >= OUT_COOLDOWN:
            self._set_desired(min(wanted, self.max_tasks), observed.second)
            self._out_at = observed.second
        elif self._may_shrink(observed):
            self._set_desired(max(self.min_tasks, self._fewer_tasks()), observed.second)
            self._in_at = observed.second

    def _may_shrink(self, observed: Observation) -> bool:
        return (
            len(self._points) == IN_DATAPOINTS
            and max(max(point) for point in self._points) < IN_SHARE
            and observed.second - max(self._in_at, self._out_at) >= IN_COOLDOWN
            and self.desired > self.min_tasks
        )

    def _fewer_tasks(self) -> int:
        """Return the number of tasks that the metric asks for, but at least half of the present number."""
        needed = math.ceil(self._running * max(self._points[-1]))
        return max(needed, self.desired // 2)

    def _set_desired(self, desired: int, second: int) -> None:
        if desired > self.desired:
            self._starting.append((second + TASK_START_SECONDS, desired - self.desired))
        elif desired < self.desired:
            self._running = min(self._running, desired)
            # Tasks that have not started yet are not needed any more.
            self._starting.clear()
        self.desired = desired
