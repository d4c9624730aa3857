"""CPU time and memory of a process and all its descendants, as the kernel accounts for them (cgroups).

Uses version 2 if it is mounted, or else version 1. Needs root, which creating a group requires.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Account:
    """The folders of one control group, of either version."""

    folders: tuple[Path, ...]
    is_unified: bool

    def join(self) -> None:
        """Move the calling process into the group. To be called between fork and exec."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    @property
    def cpu_seconds(self) -> float:
        """The CPU time of all processes that were ever in the group."""
        if self.is_unified:
            lines = (self.folders[0] / "cpu.stat").read_text().splitlines()
            return int(dict(line.split() for line in lines)["usage_usec"]) / 1e6
        return int((self.folders[0] / "cpuacct.usage").read_text()) / 1e9

    @property
    def peak_mb(self) -> float:
        """The highest memory use of the group in MB, including its page cache."""
        name = "memory.peak" if self.is_unified else "memory.max_usage_in_bytes"
        return int((self.folders[-1] / name).read_text()) / 2**20


@contextlib.contextmanager
def account() -> Iterator[Account]:
    """Create a group. At the end of the block, its processes are killed and it is removed."""
    name = f"stillframe-bench-{os.getpid()}-{next(_numbers)}"
    is_unified = (ROOT / "cgroup.controllers").exists()
    folders = (ROOT / name,) if is_unified else (ROOT / "cpuacct" / name, ROOT / "memory" / name)
    for folder in folders:
        folder.mkdir()
    try:
        yield Account(folders, is_unified)
    finally:
        for folder in folders:
            _empty(folder)


def _empty(folder: Path) -> None:
    for _ in range(100):
        left = (folder / "cgroup.procs").read_text().split()
        if not left:
            break
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.05)
    folder.rmdir()
