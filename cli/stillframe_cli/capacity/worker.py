"""What one worker of a size achieves: captures a second by its CPUs and tabs, and the memory that takes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from stillframe.cost import MB_PER_VCPU

from .figures import BASE_MB, HEAVY_PAGE_MB, MB_PER_TAB, Figures

# Above that, another worker is better than another tab: what is left is for what comes unevenly.
CPU_TARGET = 0.80
MEMORY_TARGET = 0.80
MOST_TABS = 16
# An event of SQS holds ten messages at most without a batching window.
MOST_BATCH = 10


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker: a function's execution environment or a task. `memory_mb` is what it is given."""

    vcpus: float
    memory_mb: int
    tabs: int
    captures_per_second: float
    cpu_share: float
    memory_share: float

    @property
    def binding(self) -> str:
        """What keeps it from more: `cpu`, `memory` or `tabs`."""
        if self.cpu_share >= CPU_TARGET - 0.02:
            return "cpu"
        return "memory" if memory_mb(self.tabs + 1) > self.memory_mb * MEMORY_TARGET else "tabs"


def memory_mb(tabs: int) -> float:
    """What a worker with so many tabs needs; one of the pages is a heavy one."""
    return BASE_MB + MB_PER_TAB * tabs + HEAVY_PAGE_MB


def throughput(figures: Figures, vcpus: float, tabs: int) -> float:
    """Captures a second of so many tabs: the machine-repairman model, exact for exponential times.

    Tabs wait (all at once) or compute (on as many servers as there are CPUs; a part of one is a slower one).
    L. Kleinrock, Queueing Systems I, 3.8: the finite-population M/M/m.
    """
    servers = max(1, math.floor(vcpus))
    rate = vcpus / servers / figures.cpu_seconds
    waits = max(figures.waiting_seconds, 1e-6)
    weights = [1.0]
    for computing in range(1, tabs + 1):
        weights.append(weights[-1] * (tabs - computing + 1) / waits / (min(computing, servers) * rate))
    total = sum(weights)
    return sum(weight / total * min(computing, servers) * rate for computing, weight in enumerate(weights))


def worker_of(figures: Figures, vcpus: float, memory: int, most_tabs: int = MOST_TABS) -> Worker | None:
    """The worker of that size with the tabs that suit it; None when not even one page fits in.

    Workers first: no more tabs than bring its CPU to the target, as more would only make each capture longer.
    """
    fitting = [tabs for tabs in range(1, most_tabs + 1) if memory_mb(tabs) <= memory * MEMORY_TARGET]
    if not fitting:
        return None
    target = CPU_TARGET * vcpus / figures.cpu_seconds
    enough = [tabs for tabs in fitting if throughput(figures, vcpus, tabs) >= target]
    tabs = enough[0] if enough else fitting[-1]
    speed = min(throughput(figures, vcpus, tabs), target)
    return Worker(
        vcpus=vcpus,
        memory_mb=memory,
        tabs=tabs,
        captures_per_second=speed,
        cpu_share=speed * figures.cpu_seconds / vcpus,
        memory_share=memory_mb(tabs) / memory,
    )


def lambda_vcpus(memory: int) -> float:
    """Lambda gives CPU in proportion to memory."""
    return memory / MB_PER_VCPU
