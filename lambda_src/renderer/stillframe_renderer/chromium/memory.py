"""How much memory a browser uses, and how much it may use."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass

from .members import Members, read

# Anonymous memory, and memory that is shared (memfd_create(2)): proc(5), status, in this order.
RESIDENT = re.compile(rb"^(?:RssAnon|RssShmem):\s+(\d+) kB$", re.MULTILINE)
KB = 1024
# How Chromium tells its processes what they are. In the title of a forked process, a space separates the arguments.
RENDERER_ARGUMENT = b"--type=renderer"
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


@dataclass(frozen=True, slots=True)
class Usage:
    """The resident memory of a browser, in bytes. What processes share is counted once, programs not at all."""

    # Of each renderer, by process id, with what it shares with others: the pixels of its page's layers.
    renderers: Mapping[int, int]
    # Of all other processes. What pages store (blobs, files, databases, caches) is kept there.
    own: int

    @property
    def total(self) -> int:
        return self.own + sum(self.renderers.values())

    @property
    def largest_renderer(self) -> int:
        return max(self.renderers.values(), default=0)


class GroupMemory:
    """Measures the memory of the processes of one browser. `last` is the last measurement."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self._ordinary_own: int | None = None
        # Renderers that were killed, and have not let go of their memory yet. It counts no more.
        self._ending: set[int] = set()
        self.last = Usage({}, 0)

    def measure(self) -> Usage:
        """Measure it now. May be called on any thread."""
        renderers, own, shared = {}, 0, 0
        members = self._members.stats()
        self._ending &= set(members)
        for pid in members:
            sizes = [int(size) * KB for size in RESIDENT.findall(read(f"/proc/{pid}/status"))]
            # The process has just ended, and has no memory any more.
            if len(sizes) != 2:
                continue
            anonymous, shared_memory = sizes
            if pid in self._ending:
                shared -= shared_memory
            elif RENDERER_ARGUMENT in read(f"/proc/{pid}/cmdline"):
                renderers[pid] = anonymous + shared_memory
                shared -= shared_memory
            else:
                own += anonymous
                shared += shared_memory
        # What a renderer shares, it shares with one of the others.
        own += max(0, shared)
        if self._ordinary_own is None:
            self._ordinary_own = own
        self.last = Usage(renderers, own)
        return self.last

    def kept(self, usage: Usage) -> int:
        """How much the browser keeps for its pages: the growth of its own memory since the first measurement."""
        return max(0, usage.own - (self._ordinary_own or 0))

    def kill_largest_renderer(self, usage: Usage) -> None:
        """Kill the largest renderer before the OOM killer does, if there is one."""
        if usage.renderers:
            pid = max(usage.renderers, key=lambda pid: usage.renderers[pid])
            self._ending.add(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
