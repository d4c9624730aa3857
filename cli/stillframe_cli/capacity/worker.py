"""A worker of a given size: its tabs, its captures per second, and the memory that it needs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from stillframe.cost import MB_PER_VCPU

from .figures import BASE_MB, HEAVY_PAGE_MB, MB_PER_TAB, Figures

# Above these shares, add a worker rather than a tab. The rest is a reserve for peaks.
CPU_TARGET = 0.80
MEMORY_TARGET = 0.80
MAX_TABS = 16
# An event from SQS holds ten messages at most without a batching window.
MAX_BATCH_SIZE = 10


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker: an execution environment of the function, or a task. `memory_mb` is the memory it has."""

    vcpus: float
    memory_mb: int
    tabs: int
    captures_per_second: float
    cpu_share: float
    memory_share: float

    @classmethod
    def of(cls, figures: Figures, vcpus: float, memory: int, tabs: int, captures_per_second: float) -> Self:
        """A worker that captures so fast, with the shares that this takes of its CPU and its memory."""
        return cls(
            vcpus=vcpus,
            memory_mb=memory,
            tabs=tabs,
            captures_per_second=captures_per_second,
            cpu_share=captures_per_second * figures.cpu_seconds / vcpus,
            memory_share=memory_mb(tabs) / memory,
        )

    @property
    def binding(self) -> str:
        """What limits it: `cpu`, `memory` or `tabs`."""
        if self.cpu_share >= CPU_TARGET - 0.02:
            return "cpu"
        return "memory" if memory_mb(self.tabs + 1) > self.memory_mb * MEMORY_TARGET else "tabs"


def memory_mb(tabs: int) -> float:
    """Return the memory that a worker with this many tabs needs, when one of its pages is a heavy one."""
    return BASE_MB + MB_PER_TAB * tabs + HEAVY_PAGE_MB


def tabs_that_fit(memory: int, max_tabs: int) -> list[int]:
    """Return the numbers of tabs for which so much memory is enough, none of them above a maximum."""
    return [tabs for tabs in range(1, max_tabs + 1) if memory_mb(tabs) <= memory * MEMORY_TARGET]


def throughput(figures: Figures, vcpus: float, tabs: int) -> float:
    """Return the captures per second of a worker by the machine-repairman model, exact for exponential times.

    A tab either waits, independently of the others, or computes on one of as many servers as there are whole CPUs (a
    fraction of a CPU is a slower server). See L. Kleinrock, Queueing Systems I, 3.8: the finite-population M/M/m.
    """
    servers = max(1, math.floor(vcpus))
    rate = vcpus / servers / figures.cpu_seconds
    waits = max(figures.waiting_seconds, 1e-6)
    # Logarithms, as the weights of many tabs are beyond all floats.
    logs = [0.0]
    for computing in range(1, tabs + 1):
        logs.append(logs[-1] + math.log((tabs - computing + 1) / waits / (min(computing, servers) * rate)))
    largest = max(logs)
    weights = [math.exp(log - largest) for log in logs]
    total = sum(weights)
    return sum(weight / total * min(computing, servers) * rate for computing, weight in enumerate(weights))


def size_worker(figures: Figures, vcpus: float, memory: int, max_tabs: int = MAX_TABS) -> Worker | None:
    """Return a worker of this size with the best number of tabs; None when its memory is too small for one page.

    It has only as many tabs as bring its CPU to the target: more would make each capture slower and gain nothing.
    """
    fitting = tabs_that_fit(memory, max_tabs)
    if not fitting:
        return None
    target = CPU_TARGET * vcpus / figures.cpu_seconds
    enough = [tabs for tabs in fitting if throughput(figures, vcpus, tabs) >= target]
    tabs = enough[0] if enough else fitting[-1]
    return Worker.of(figures, vcpus, memory, tabs, min(throughput(figures, vcpus, tabs), target))


def lambda_vcpus(memory: int) -> float:
    """Return the vCPUs of a function: Lambda gives CPU in proportion to memory (MB)."""
    return memory / MB_PER_VCPU
