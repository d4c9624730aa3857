"""The CPU time of a process group: that of its processes and of their children that have ended."""

from __future__ import annotations

import os

from .members import Members

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# User and system time of a process and of the children it waited for, in the fields of Members.stats (proc(5)).
TIME_FIELDS = slice(11, 15)


class GroupCpu:
    """Measures the CPU time of one process group, in seconds."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self._seconds = 0.0

    def seconds(self) -> float:
        """User and system time so far; never decreases. Takes 0.1 to 0.3 ms for a browser with four tabs."""
        ticks = sum(sum(map(int, fields[TIME_FIELDS])) for fields in self._members.stats().values())
        # A process that has ended but has not been waited for is missing from the sum for a moment.
        self._seconds = max(self._seconds, ticks / TICKS_PER_SECOND)
        return self._seconds
