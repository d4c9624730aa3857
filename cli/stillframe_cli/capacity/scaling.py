"""How the function's mapping and the fleet follow a load, by the rules that AWS documents."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from . import limits

# "Target tracking scaling policies": the alarm of a scale-out looks at three minutes, that of a scale-in at fifteen,
# and is content with nine tenths of the target.
METRIC_SECONDS = 60
OUT_DATAPOINTS = 3
IN_DATAPOINTS = 15
IN_SHARE = 0.9
BACKLOG_PER_TASK = 100
OUT_COOLDOWN = 60
IN_COOLDOWN = 300
CPU_TARGET = 0.60
STEP_CPU = 0.85
STEP_SHARE = 0.5
# From the decision to the first capture: a task is placed, its image pulled, its browser started.
TASK_START_SECONDS = 60
# A new environment of the function: measured in the container, with room for the pull of the image's parts.
ENVIRONMENT_START_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """What a scaler sees in a second: messages waiting, and the share of its workers' CPUs that is in use."""

    second: int
    backlog: float
    cpu_share: float


class Scaler(Protocol):
    """Says how many workers there are to be."""

    def step(self, seen: Seen) -> int:
        """Workers that take messages in this second."""


@dataclass(slots=True)
class MappingScaler:
    """A standard mapping: five at first, 300 a minute more while messages wait, down to five when none do.

    `most` is the smallest of its own limit, the maximum that is set, and what is reserved for the function.
    """

    most: int
    per_minute: int = limits.MAPPING_PER_MINUTE
    least: int = limits.MAPPING_START
    _allowed: float = field(default=0.0, init=False)
    _starting: deque[tuple[int, int]] = field(default_factory=deque, init=False)
    _running: int = field(default=0, init=False)

    def step(self, seen: Seen) -> int:
        """Concurrent invocations."""
        low = min(self.least, self.most)
        self._allowed = max(self._allowed, float(low))
        if seen.backlog > 0:
            self._allowed = min(float(self.most), self._allowed + self.per_minute / 60)
        else:
            self._allowed = max(float(low), self._allowed - self.per_minute / 60)
        wanted = int(self._allowed)
        coming = sum(count for _, count in self._starting)
        if wanted > self._running + coming:
            # "Lambda quotas": a thousand new environments in ten seconds.
            new = min(wanted - self._running - coming, limits.ENVIRONMENTS_PER_TEN_SECONDS // 10)
            self._starting.append((seen.second + ENVIRONMENT_START_SECONDS, new))
        while self._starting and self._starting[0][0] <= seen.second:
            self._running += self._starting.popleft()[1]
        self._running = min(self._running, wanted)
        return self._running


def provisioned(min_pollers: int, max_pollers: int, reserved: int) -> MappingScaler:
    """With pollers of its own: ten invocations each, a thousand a minute more."""
    most = min(max_pollers * limits.POLLER_CONCURRENCY, limits.PROVISIONED_MOST, reserved or limits.PROVISIONED_MOST)
    return MappingScaler(most, limits.PROVISIONED_PER_MINUTE, min_pollers * limits.POLLER_CONCURRENCY)


def standard(max_concurrency: int, reserved: int) -> MappingScaler:
    """With a maximum concurrency; `reserved` is 0 where nothing is."""
    return MappingScaler(min(max_concurrency, limits.MAPPING_MOST, reserved or limits.ACCOUNT_CONCURRENCY))


@dataclass(slots=True)
class FleetScaler:
    """Target tracking on backlog per task and on CPU, with steps when the CPUs are nearly full.

    The policy that wants most tasks decides, and tasks go only when both want fewer ("Multiple scaling policies").
    """

    least: int
    most: int
    desired: int = field(default=0, init=False)
    _running: int = field(default=0, init=False)
    _starting: deque[tuple[int, int]] = field(default_factory=deque, init=False)
    # Of each minute, as shares of the targets: backlog, CPU.
    _points: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=IN_DATAPOINTS), init=False)
    _out_at: int = field(default=-OUT_COOLDOWN, init=False)
    _in_at: int = field(default=-IN_COOLDOWN, init=False)

    def __post_init__(self) -> None:
        self.desired = self._running = self.least

    def step(self, seen: Seen) -> int:
        """Running tasks."""
        while self._starting and self._starting[0][0] <= seen.second:
            self._running += self._starting.popleft()[1]
        if seen.second and seen.second % METRIC_SECONDS == 0:
            per_task = seen.backlog / max(1, self._running)
            self._points.append((per_task / BACKLOG_PER_TASK, seen.cpu_share / CPU_TARGET))
            self._decide(seen)
        return self._running

    def _decide(self, seen: Seen) -> None:
        recent = list(self._points)[-OUT_DATAPOINTS:]
        wanted = self.desired
        for policy in range(2):
            shares = [point[policy] for point in recent]
            if len(shares) == OUT_DATAPOINTS and min(shares) > 1:
                wanted = max(wanted, math.ceil(self._running * shares[-1]))
        if seen.cpu_share >= STEP_CPU:
            wanted = max(wanted, math.ceil(self.desired * (1 + STEP_SHARE)))
        if wanted > self.desired and seen.second - self._out_at >= OUT_COOLDOWN:
            self._set(min(wanted, self.most), seen.second)
            self._out_at = seen.second
        elif self._may_shrink(seen):
            self._set(max(self.least, self._fewer()), seen.second)
            self._in_at = seen.second

    def _may_shrink(self, seen: Seen) -> bool:
        return (
            len(self._points) == IN_DATAPOINTS
            and max(max(point) for point in self._points) < IN_SHARE
            and seen.second - max(self._in_at, self._out_at) >= IN_COOLDOWN
            and self.desired > self.least
        )

    def _fewer(self) -> int:
        """In proportion, but cautiously: what the metric asks for, and no fewer than half at once."""
        needed = math.ceil(self._running * max(self._points[-1]))
        return max(needed, self.desired // 2)

    def _set(self, desired: int, second: int) -> None:
        if desired > self.desired:
            self._starting.append((second + TASK_START_SECONDS, desired - self.desired))
        elif desired < self.desired:
            self._running = min(self._running, desired)
            # What was to start and is not wanted any more does not.
            self._starting.clear()
        self.desired = desired
