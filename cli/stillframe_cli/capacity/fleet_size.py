"""The Fargate fleet that serves a target: task size, tabs, how many, and its bill."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .figures import Figures
from .prices import FARGATE, FARGATE_SPOT_SHARE, HOURS_A_MONTH, PUBLIC_IPV4_PER_HOUR, monthly_services_usd
from .target import Target
from .worker import Worker, worker_of

# vCPUs and MB that Fargate has (AWS Fargate, "Task CPU and memory").
TASK_SIZES = ((1, 2048), (1, 3072), (2, 4096), (4, 8192))
LEAST_TASKS = 3
MOST_TASKS = 20
HEADROOM = 1.25


@dataclass(frozen=True, slots=True)
class FleetSize:
    """One way to run it as a fleet. `average_tasks` run over a month, scaled to the load."""

    worker: Worker
    min_tasks: int
    max_tasks: int
    average_tasks: float
    usd_per_task_hour: float

    @property
    def vcpus(self) -> float:
        """Of the whole fleet at its largest."""
        return self.worker.vcpus * self.max_tasks

    def to_context(self) -> dict[str, Any]:
        """The values for `cdk deploy`."""
        return {
            "stillframe:compute": "fargate",
            "stillframe:taskCpu": int(self.worker.vcpus * 1024),
            "stillframe:taskMemoryMb": self.worker.memory_mb,
            "stillframe:taskTabs": self.worker.tabs,
            "stillframe:minTasks": self.min_tasks,
            "stillframe:maxTasks": self.max_tasks,
        }


def fleet_size(figures: Figures, target: Target, architecture: str, spot: bool = False) -> FleetSize:
    """The cheapest by the month."""
    sizes = [_of(figures, target, architecture, spot, *size) for size in TASK_SIZES]
    return min((size for size in sizes if size), key=lambda size: size.average_tasks * size.usd_per_task_hour)


def _of(figures: Figures, target: Target, architecture: str, spot: bool, vcpus: int, memory: int) -> FleetSize | None:
    worker = worker_of(figures, vcpus, memory)
    if worker is None:
        return None
    per_vcpu, per_gb = FARGATE[architecture]
    usd = vcpus * per_vcpu + memory / 1024 * per_gb
    average = max(LEAST_TASKS, target.per_second * HEADROOM / worker.captures_per_second)
    return FleetSize(
        worker=worker,
        min_tasks=LEAST_TASKS,
        max_tasks=max(MOST_TASKS, math.ceil(target.peak_per_second * HEADROOM / worker.captures_per_second)),
        average_tasks=average,
        usd_per_task_hour=usd * (FARGATE_SPOT_SHARE if spot else 1.0) + PUBLIC_IPV4_PER_HOUR,
    )


def monthly_usd(size: FleetSize, figures: Figures, target: Target) -> dict[str, float]:
    """By service."""
    compute = size.average_tasks * size.usd_per_task_hour * HOURS_A_MONTH
    return {"compute": compute, **monthly_services_usd(target.per_month, figures.bytes)}
