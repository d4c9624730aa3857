"""The processes of a group, from /proc. What is none of it is looked at once: all of them take a millisecond."""

from __future__ import annotations

import contextlib
import os

MAX_BYTES = 4096


class Members:
    """Of one process group. May be asked on any thread."""

    def __init__(self, group: int) -> None:
        self.group = group
        self._others: set[int] = set()

    def stats(self) -> dict[int, list[bytes]]:
        """What /proc/<pid>/stat says of each, from its third field on (proc(5)): state, parent, group, ..."""
        present = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        self._others &= present
        members = {}
        for pid in present - self._others:
            # The name before may itself hold spaces and brackets.
            fields = read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
            if len(fields) > 2 and int(fields[2]) == self.group:
                members[pid] = fields
            elif fields:
                self._others.add(pid)
        return members


def read(path: str) -> bytes:
    """A small file of /proc; empty when the process is gone. A third of the time that a Python file takes."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(descriptor, MAX_BYTES)
        finally:
            os.close(descriptor)
    return b""
