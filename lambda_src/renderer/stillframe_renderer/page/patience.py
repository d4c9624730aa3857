"""How long a capture waits for its page, and the error of a page that takes longer."""

from __future__ import annotations

from stillframe.clock import Deadline
from stillframe.errors import CaptureTimeout, NavigationTimeout, ReadyTimeout

# The part of the job's time that is reserved for the screenshot, however long the page takes.
RESERVE_SECONDS = 3.0
RESERVE_SHARE = 0.3
# What a screenshot gets at least.
MIN_SCREENSHOT_SECONDS = 5.0


class Patience:
    """The time limits of one page. `phase` names what is being waited for."""

    def __init__(self, deadline: Deadline, timeout_ms: int) -> None:
        self._deadline = deadline
        self._timeout_ms = timeout_ms
        # Whether the job's deadline ends the wait before the page's timeout does.
        self._ends_at_deadline = False
        self.phase = "navigation"

    def seconds(self) -> float:
        """The seconds to wait: the page's timeout, or less if the job's deadline and the reserve leave less."""
        remaining = self._deadline.remaining_seconds()
        until_deadline = remaining - min(RESERVE_SECONDS, remaining * RESERVE_SHARE)
        self._ends_at_deadline = until_deadline < self._timeout_ms / 1000
        return until_deadline if self._ends_at_deadline else self._timeout_ms / 1000

    @property
    def has_reserve(self) -> bool:
        """Whether there is time to take the screenshot again."""
        return self._deadline.remaining_seconds() > RESERVE_SECONDS

    def timeout_error(self, has_document: bool) -> CaptureTimeout:
        """The error of a page that was not ready in the seconds returned last."""
        if self._ends_at_deadline:
            return CaptureTimeout(f"the page did not get past {self.phase} before the job's deadline")
        error = ReadyTimeout if has_document else NavigationTimeout
        return error(f"the page did not get past {self.phase} within {self._timeout_ms} ms")
