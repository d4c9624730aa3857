"""How much memory a browser has, and what is done when it is too much."""

from __future__ import annotations

import contextlib
import logging
import os
import signal

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


def private_bytes(group: int) -> dict[int, int]:
    """Resident memory that is not shared, by process of a group. What is shared would be counted several times."""
    members = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                # pgrp follows the name, which may itself hold spaces and brackets (proc(5)).
                if int(_read(f"/proc/{name}/stat").rpartition(")")[2].split()[2]) == group:
                    _, resident, shared = _read(f"/proc/{name}/statm").split()[:3]
                    members[int(name)] = (int(resident) - int(shared)) * PAGE_BYTES
    return members


def _read(path: str) -> str:
    # pathlib interns the parts of every path, one for each process that ever was.
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def share_of(group: int, limit_bytes: int) -> float:
    """How much a process group has of the memory that it may have. More than 1 is too much, and is logged."""
    total = sum(private_bytes(group).values())
    if total > limit_bytes:
        megabytes = {"megabytes": total >> 20, "limitMegabytes": limit_bytes >> 20}
        logger.warning("the browser has too much memory", extra={"chromiumPid": group, **megabytes})
    return total / limit_bytes


def end_the_largest(group: int) -> None:
    """Kill the process that has most, as the kernel would, but before it must. Quiet when there is none."""
    members = private_bytes(group)
    if members:
        with contextlib.suppress(ProcessLookupError):
            os.kill(max(members, key=lambda pid: members[pid]), signal.SIGKILL)
