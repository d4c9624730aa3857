"""How much memory a browser has, and what is done when it is too much."""

from __future__ import annotations

import contextlib
import logging
import os
import signal

from .members import Members, read

logger = logging.getLogger(__name__)

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
WATCH_SECONDS = 0.5
# Where neither a setting nor Lambda says how much there is.
DEFAULT_MB = 4096
# What a browser may have of a function's memory; the rest is the worker's, and the kernel's.
LAMBDA_SHARE = 0.75


def default_limit_mb() -> int:
    """Three quarters of a Lambda function's memory, elsewhere 4096."""
    memory = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    return int(int(memory) * LAMBDA_SHARE) if memory.isdigit() else DEFAULT_MB


class GroupMemory:
    """Resident memory of one process group that is not shared. What is shared would be counted several times."""

    def __init__(self, members: Members) -> None:
        self._members = members

    def share_of(self, limit_bytes: int) -> float:
        """How much the group has of what it may have. More than 1 is too much, and is logged."""
        total = sum(self._private_bytes().values())
        if total > limit_bytes:
            megabytes = {"megabytes": total >> 20, "limitMegabytes": limit_bytes >> 20}
            logger.warning("the browser has too much memory", extra={"chromiumPid": self._members.group, **megabytes})
        return total / limit_bytes

    def end_the_largest(self) -> None:
        """Kill the process that has most, as the kernel would, but before it must. Quiet when there is none."""
        sizes = self._private_bytes()
        if sizes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(max(sizes, key=lambda pid: sizes[pid]), signal.SIGKILL)

    def _private_bytes(self) -> dict[int, int]:
        sizes = {}
        for pid in self._members.stats():
            # Size, resident, shared (proc(5), statm); nothing of a process that has just ended.
            pages = read(f"/proc/{pid}/statm").split()[1:3]
            if pages:
                sizes[pid] = (int(pages[0]) - int(pages[1])) * PAGE_BYTES
        return sizes
