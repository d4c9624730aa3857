"""How much memory a browser uses, and what happens if it uses too much."""

from __future__ import annotations

import contextlib
import logging
import os
import signal

from stillframe import log_messages

from .members import Members, read

logger = logging.getLogger(__name__)

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
WATCH_SECONDS = 0.5
# The limit if neither a setting nor Lambda defines one.
DEFAULT_MB = 4096
# The same for the worker's own process, which normally has 60 to 120 MB.
DEFAULT_WORKER_MB = 1024
# The browser's share of a function's memory; the worker and the kernel need the rest.
LAMBDA_SHARE = 0.75
LAMBDA_WORKER_SHARE = 0.2


def default_limit_mb(function_memory_mb: int | None) -> int:
    """The browser's memory limit in MB: three quarters of a Lambda function's memory, or 4096 outside Lambda."""
    return int(function_memory_mb * LAMBDA_SHARE) if function_memory_mb is not None else DEFAULT_MB


def default_worker_limit_mb(function_memory_mb: int | None) -> int:
    """The memory limit of the worker's own process in MB: a fifth of a Lambda function's memory, or 1024 elsewhere."""
    return int(function_memory_mb * LAMBDA_WORKER_SHARE) if function_memory_mb is not None else DEFAULT_WORKER_MB


class GroupMemory:
    """Measures the unshared resident memory of one process group. Shared memory would be counted several times."""

    def __init__(self, members: Members) -> None:
        self._members = members

    def share_of(self, limit_bytes: int) -> float:
        """The group's memory as a share of its limit. If it exceeds 1, a warning is logged."""
        total = sum(self._private_bytes().values())
        if total > limit_bytes:
            megabytes = {"megabytes": total >> 20, "limitMegabytes": limit_bytes >> 20}
            logger.warning(log_messages.BROWSER_MEMORY, extra={"chromiumPid": self._members.group, **megabytes})
        return total / limit_bytes

    def kill_largest(self) -> None:
        """Kill the largest process before the OOM killer does, if there is one."""
        sizes = self._private_bytes()
        if sizes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(max(sizes, key=lambda pid: sizes[pid]), signal.SIGKILL)

    def _private_bytes(self) -> dict[int, int]:
        sizes = {}
        for pid in self._members.stats():
            # Resident and shared pages (proc(5), statm); empty if the process has just ended.
            pages = read(f"/proc/{pid}/statm").split()[1:3]
            if pages:
                sizes[pid] = (int(pages[0]) - int(pages[1])) * PAGE_BYTES
        return sizes
