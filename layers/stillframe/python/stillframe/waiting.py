"""Waiting for a record to become final, by reading it again and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .table.record import Record, Status

FINAL = (Status.SUCCESS, Status.FAILED)
# A poll is a read of one item. The first come soon, because small pages take less than a second.
FIRST_PAUSE_SECONDS = 0.15
MAX_PAUSE_SECONDS = 1.0
GROWTH = 1.3


class Waiter:
    """Reads records by `read`, which returns None while a record cannot be read."""

    def __init__(
        self,
        read: Callable[[str], Record | None],
        sleep: Callable[[float], Any] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._sleep = sleep
        self._monotonic = monotonic

    def wait(self, screenshot_id: str, seconds: float) -> Record | None:
        """The record once it is final, or None if it is not in time. Raises what `read` raises."""
        give_up_at = self._monotonic() + seconds
        pause = FIRST_PAUSE_SECONDS
        while True:
            record = self._read(screenshot_id)
            if record is not None and record.status in FINAL:
                return record
            left = give_up_at - self._monotonic()
            if left <= 0:
                return None
            self._sleep(min(pause, left))
            pause = min(pause * GROWTH, MAX_PAUSE_SECONDS)
