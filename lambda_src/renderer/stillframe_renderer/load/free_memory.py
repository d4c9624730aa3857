"""The memory that this worker's processes have left: that of the machine, or of their container if that is less."""

from __future__ import annotations

import contextlib
import functools
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

KB = 1024
MB = 1 << 20
# proc_meminfo(5).
TOTAL = re.compile(rb"^MemTotal:\s+(\d+) kB$", re.MULTILINE)
AVAILABLE = re.compile(rb"^MemAvailable:\s+(\d+) kB$", re.MULTILINE)
# The limit, the usage and the statistics of a container's memory, and what is cached of files, which the kernel gives
# up before it kills anybody: version 2 of cgroups, then version 1 (Linux kernel, "Memory Resource Controller").
CONTAINERS = (
    ("memory.max", "memory.current", "memory.stat", rb"^(?:in)?active_file (\d+)$"),
    (
        "memory/memory.limit_in_bytes",
        "memory/memory.usage_in_bytes",
        "memory/memory.stat",
        rb"^total_(?:in)?active_file (\d+)$",
    ),
)
MAX_READ_BYTES = 8192
# As long as more than this is left, what is cached makes no difference.
CACHE_MATTERS_BYTES = 512 * MB
# A machine that has less than this many times a function's memory is the function's own. It may be larger than that.
OWN_MACHINE = 2

Measure = Callable[[], int | None]


class FreeMemory:
    """Where it can be read. `function_memory_mb` is what Lambda enforces."""

    def __init__(
        self,
        function_memory_mb: int | None = None,
        proc: Path = Path("/proc"),
        cgroup: Path = Path("/sys/fs/cgroup"),
    ) -> None:
        self._function_memory = function_memory_mb * MB if function_memory_mb is not None else None
        self._proc = proc
        self._cgroup = cgroup

    @contextlib.contextmanager
    def opened(self) -> Iterator[Measure]:
        """A function that returns the bytes that are left, or None if nothing says so. It takes ten microseconds.

        Files are kept open, and what is hidden is left out.
        """
        with contextlib.ExitStack() as files:
            sources = [*self._of_machine(files), *self._of_container(files)]
            yield lambda: min((source() for source in sources), default=None)

    def _of_machine(self, files: contextlib.ExitStack) -> Iterator[Callable[[], int]]:
        with contextlib.suppress(OSError):
            meminfo = _open(self._proc / "meminfo", files)
            if AVAILABLE.search(_read(meminfo)):
                excess = self._excess(_sum_of(TOTAL, meminfo) * KB)
                yield lambda: _sum_of(AVAILABLE, meminfo) * KB - excess

    def _excess(self, total: int) -> int:
        """What the function's own machine has more than the function may use."""
        if self._function_memory is None or total > self._function_memory * OWN_MACHINE:
            return 0
        return max(0, total - self._function_memory)

    def _of_container(self, files: contextlib.ExitStack) -> Iterator[Callable[[], int]]:
        for limit, usage, statistics, cached in CONTAINERS:
            # A limit that is no number is none ("max").
            with contextlib.suppress(OSError, ValueError):
                yield functools.partial(
                    _left_of,
                    int((self._cgroup / limit).read_text()),
                    _open(self._cgroup / usage, files),
                    _open(self._cgroup / statistics, files),
                    re.compile(cached, re.MULTILINE),
                )
                return


def _left_of(limit: int, usage: int, statistics: int, cached: re.Pattern[bytes]) -> int:
    left = limit - int(_read(usage))
    return left if left > CACHE_MATTERS_BYTES else left + _sum_of(cached, statistics)


def _open(path: Path, files: contextlib.ExitStack) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    files.callback(os.close, descriptor)
    return descriptor


def _read(descriptor: int) -> bytes:
    return os.pread(descriptor, MAX_READ_BYTES, 0)


def _sum_of(pattern: re.Pattern[bytes], descriptor: int) -> int:
    return sum(map(int, pattern.findall(_read(descriptor))))
