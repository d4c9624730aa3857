"""`Prefer: wait=N` (RFC 7240, 4.3): the answer to a request is delayed until its image is there, and leads to it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from stillframe.archive import Archive
from stillframe.table.record import Record, Status

MAX_WAIT_SECONDS = 25
# A poll is a read of one item. The first come soon, because small pages take less than a second.
FIRST_PAUSE_SECONDS = 0.15
MAX_PAUSE_SECONDS = 1.0
GROWTH = 1.3
PREFERENCE = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,9})\"?\s*(?=[,;]|$)", re.IGNORECASE)
FINAL = (Status.SUCCESS, Status.FAILED)


def preferred_wait(headers: Mapping[str, str]) -> int:
    """The seconds that the caller prefers to wait, at most 25; 0 without a preference. What is malformed is ignored.

    RFC 7240, 2: "A server that does not recognize or is unable to comply with particular preference tokens [...] MUST
    ignore those tokens".
    """
    text = next((value for name, value in headers.items() if name.lower() == "prefer"), "")
    found = PREFERENCE.search(text)
    return min(int(found[1]), MAX_WAIT_SECONDS) if found else 0


class Waiter:
    """Reads a record again and again until it is final."""

    def __init__(
        self,
        archive: Archive,
        sleep: Callable[[float], Any] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._archive = archive
        self._sleep = sleep
        self._monotonic = monotonic

    def wait(self, screenshot_id: str, seconds: float, *, is_there: bool = False) -> Record | None:
        """The record once it is final, or None if it is not in time. Raises ServiceUnavailable.

        `is_there` says that it is known to be final, so that nobody has to wait for it.
        """
        give_up_at = self._monotonic() + seconds
        pause = 0.0 if is_there else FIRST_PAUSE_SECONDS
        while True:
            left = give_up_at - self._monotonic()
            if left <= 0:
                return None
            self._sleep(min(pause, left))
            record = self._archive.record(screenshot_id)
            if record is not None and record.status in FINAL:
                return record
            pause = min(max(pause, FIRST_PAUSE_SECONDS) * GROWTH, MAX_PAUSE_SECONDS)
