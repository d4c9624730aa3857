"""The CPUs and memory that this worker may use, and how busy they are."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from stillframe.cost import MB_PER_VCPU

# cgroups(7), version 2: "max" or the microseconds of CPU time per period, then the period.
CPU_MAX = Path("/sys/fs/cgroup/cpu.max")
# A machine with a smaller share of its memory available counts as short of memory.
MIN_AVAILABLE_SHARE = 0.10


def available_cpus(function_memory_mb: int | None) -> float:
    """The number of CPUs this process may use: Lambda's share for the memory size, a container's limit, or all."""
    cpus = float(len(os.sched_getaffinity(0)))
    if function_memory_mb is not None:
        cpus = min(cpus, function_memory_mb / MB_PER_VCPU)
    with contextlib.suppress(OSError, ValueError):
        quota, period = CPU_MAX.read_text().split()
        cpus = min(cpus, int(quota) / int(period))
    return cpus


class CpuShare:
    """The share of the CPUs in use since the last call, 0 to 1: by this worker or by the machine, whichever is larger.

    A worker on a machine that others keep busy gains nothing from more tabs.
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
    """The busy and total clock ticks of all CPUs (proc_stat(5)); zeros if they are hidden."""
    with contextlib.suppress(OSError, ValueError), open("/proc/stat", encoding="ascii") as file:
        user, nice, system, idle, iowait, *others = map(int, file.readline().split()[1:9])
        busy = user + nice + system + sum(others)
        return busy, busy + idle + iowait
    return 0, 0


def machine_busy_seconds() -> float:
    """CPU seconds that the whole machine has been busy since it started; 0 if that is hidden."""
    return _machine_ticks()[0] / os.sysconf("SC_CLK_TCK")


def own_memory_bytes() -> int:
    """The unshared resident memory of this process (proc(5), statm); 0 if that is hidden."""
    with contextlib.suppress(OSError, ValueError), open("/proc/self/statm", encoding="ascii") as file:
        _, resident, shared, *_ = map(int, file.read().split())
        return (resident - shared) * os.sysconf("SC_PAGE_SIZE")
    return 0


def memory_is_short() -> bool:
    """Whether the machine itself has hardly any memory available. False if that is hidden."""
    with contextlib.suppress(OSError, ValueError, KeyError), open("/proc/meminfo", encoding="ascii") as file:
        sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in file)}
        return sizes["MemAvailable"] < sizes["MemTotal"] * MIN_AVAILABLE_SHARE
    return False
