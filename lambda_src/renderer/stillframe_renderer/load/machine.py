"""What the machine has for this worker: CPUs, and how busy they are; memory."""

from __future__ import annotations

import contextlib
import gc
import os
import time
from collections.abc import Callable
from pathlib import Path

from stillframe.cost import MB_PER_VCPU

# cgroups(7), version 2: "max" or the microseconds of CPU time in each period.
CPU_MAX = Path("/sys/fs/cgroup/cpu.max")
# When less of the machine's memory is left, it counts as full.
LEAST_AVAILABLE = 0.10
# So many new objects before any is looked for that nobody needs; 700 by default.
YOUNG_OBJECTS = 10_000


def available_cpus() -> float:
    """CPUs that this process may use: what Lambda gives for the memory, what a container is limited to, or all."""
    cpus = float(len(os.sched_getaffinity(0)))
    memory = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    if memory.isdigit():
        cpus = min(cpus, int(memory) / MB_PER_VCPU)
    with contextlib.suppress(OSError, ValueError):
        quota, period = CPU_MAX.read_text().split()
        cpus = min(cpus, int(quota) / int(period))
    return cpus


class CpuShare:
    """The share of the CPUs that was in use since the last call, 0 to 1: by this worker, or by anybody.

    A worker on a machine that others keep busy has nothing to gain by more tabs.
    """

    def __init__(self, own_seconds: Callable[[], float], cpus: float) -> None:
        self._own_seconds = own_seconds
        self._cpus = cpus
        self._last = self._now()

    def __call__(self) -> float:
        (own, at, busy, total), self._last = self._last, self._now()
        own_now, now, busy_now, total_now = self._last
        own_share = (own_now - own) / max(now - at, 1e-3) / self._cpus
        machine_share = (busy_now - busy) / max(total_now - total, 1)
        return min(1.0, max(own_share, machine_share))

    def _now(self) -> tuple[float, float, int, int]:
        busy, total = _machine_ticks()
        return self._own_seconds(), time.monotonic(), busy, total


def _machine_ticks() -> tuple[int, int]:
    """Clock ticks that all CPUs were busy, and all there were (proc_stat(5)); zeros where that is hidden."""
    with contextlib.suppress(OSError, ValueError), open("/proc/stat", encoding="ascii") as file:
        user, nice, system, idle, iowait, *others = map(int, file.readline().split()[1:9])
        busy = user + nice + system + sum(others)
        return busy, busy + idle + iowait
    return 0, 0


def machine_busy_seconds() -> float:
    """CPU seconds that all of the machine has computed since it was started; 0 where that is hidden."""
    return _machine_ticks()[0] / os.sysconf("SC_CLK_TCK")


def collect_less() -> None:
    """Leave what is there by now out of garbage collections, and make them rarer: they took a twelfth of its time.

    `gc.freeze`: of a process that lives long, the modules and clients that it begins with are no garbage.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


def memory_is_short() -> bool:
    """Whether the machine itself has hardly any memory left."""
    with contextlib.suppress(OSError, ValueError, KeyError), open("/proc/meminfo", encoding="ascii") as file:
        sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in file)}
        return sizes["MemAvailable"] < sizes["MemTotal"] * LEAST_AVAILABLE
    return False
