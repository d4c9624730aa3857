"""The Fargate fleet for a target: size, tabs and number of the tasks, and their cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .figures import Figures
from .limits import FARGATE_TASKS_PER_SERVICE
from .prices import FARGATE, FARGATE_SPOT_SHARE, HOURS_PER_MONTH, PUBLIC_IPV4_PER_HOUR, monthly_services_usd
from .target import Target
from .worker import Worker, size_worker

# vCPUs and MB that Fargate offers (AWS Fargate, "Task CPU and memory").
TASK_SIZES = ((1, 2048), (1, 3072), (2, 4096), (4, 8192))
MIN_TASKS = 3
# The upper bound of scaling, unless the target needs more.
DEFAULT_MAX_TASKS = 20
# Capacity in reserve, because messages do not arrive evenly within a second.
HEADROOM = 1.25


@dataclass(frozen=True, slots=True)
class FleetSize:
    """A fleet, which may need more tasks than a service has.

    `average_tasks` is the mean over a month, when scaling follows the load.
    """

    worker: Worker
    min_tasks: int
    max_tasks: int
    average_tasks: float
    usd_per_task_hour: float

    @property
    def vcpus(self) -> float:
        """vCPUs of the whole fleet at its largest."""
        return self.worker.vcpus * self.max_tasks

    def to_context(self) -> dict[str, Any]:
        """Return the context values for `cdk deploy`."""
        return {
            "stillframe:compute": "fargate",
            "stillframe:taskCpu": int(self.worker.vcpus * 1024),
            "stillframe:taskMemoryMb": self.worker.memory_mb,
            "stillframe:taskTabs": self.worker.tabs,
            "stillframe:minTasks": self.min_tasks,
            "stillframe:maxTasks": min(FARGATE_TASKS_PER_SERVICE, self.max_tasks),
        }


def fleet_size(figures: Figures, target: Target, architecture: str, spot: bool = False) -> FleetSize:
    """Return the fleet with the lowest monthly cost."""
    sizes = [_size_fleet(figures, target, architecture, spot, *size) for size in TASK_SIZES]
    return min((size for size in sizes if size), key=lambda size: size.average_tasks * size.usd_per_task_hour)


def _size_fleet(
    figures: Figures, target: Target, architecture: str, spot: bool, vcpus: int, memory: int
) -> FleetSize | None:
    worker = size_worker(figures, vcpus, memory)
    if worker is None:
        return None
    per_vcpu, per_gb = FARGATE[architecture]
    usd = vcpus * per_vcpu + memory / 1024 * per_gb
    average = max(MIN_TASKS, target.per_second * HEADROOM / worker.captures_per_second)
    return FleetSize(
        worker=worker,
        min_tasks=MIN_TASKS,
        max_tasks=max(DEFAULT_MAX_TASKS, math.ceil(target.peak_per_second * HEADROOM / worker.captures_per_second)),
        average_tasks=average,
        usd_per_task_hour=usd * (FARGATE_SPOT_SHARE if spot else 1.0) + PUBLIC_IPV4_PER_HOUR,
    )


def monthly_usd(size: FleetSize, figures: Figures, target: Target) -> dict[str, float]:
    """Return USD per month by service."""
    compute = size.average_tasks * size.usd_per_task_hour * HOURS_PER_MONTH
    return {"compute": compute, **monthly_services_usd(target.per_month, figures.bytes, has_fleet=True)}
