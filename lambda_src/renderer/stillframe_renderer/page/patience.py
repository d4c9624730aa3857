"""How long a page is waited for, and what it is told that takes longer."""

from __future__ import annotations

from stillframe.clock import Deadline
from stillframe.errors import CaptureTimeout, NavigationTimeout, ReadyTimeout

# What is kept of the job's time for the picture, when a page would take all of it.
RESERVE_SECONDS = 3.0
RESERVE_SHARE = 0.3


class Patience:
    """With one page. `phase` is what is being waited for."""

    def __init__(self, deadline: Deadline, timeout_ms: int) -> None:
        self._deadline = deadline
        self._timeout_ms = timeout_ms
        # Whether it is the job's deadline and not the page's time-out that ends the waiting.
        self._is_hurried = False
        self.phase = "navigation"

    def seconds(self) -> float:
        """For waiting: the page's time-out, inside the job's deadline with room for the picture."""
        remaining = self._deadline.remaining_seconds()
        until_deadline = remaining - min(RESERVE_SECONDS, remaining * RESERVE_SHARE)
        self._is_hurried = until_deadline < self._timeout_ms / 1000
        return until_deadline if self._is_hurried else self._timeout_ms / 1000

    @property
    def has_reserve(self) -> bool:
        """Whether there is time for a second look."""
        return self._deadline.remaining_seconds() > RESERVE_SECONDS

    def ended(self, has_document: bool) -> CaptureTimeout:
        """The error of a page that was waited for that long."""
        if self._is_hurried:
            return CaptureTimeout(f"the page did not get past {self.phase} before the job's deadline")
        late = ReadyTimeout if has_document else NavigationTimeout
        return late(f"the page did not get past {self.phase} within {self._timeout_ms} ms")
