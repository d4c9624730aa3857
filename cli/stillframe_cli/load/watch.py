"""Waits until all screenshots of a load test are finished."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from stillframe.archive import Archive
from stillframe.clients import Clients
from stillframe.settings import Settings
from stillframe.table.record import Record, Status
from stillframe_cli.backlog import message_counts

POLL_SECONDS = 0.5
# BatchGetItem takes at most 100 keys.
BATCH_SIZE = 100
FINISHED = (Status.SUCCESS, Status.FAILED)


class CaptureWatcher:
    """Polls records until all are finished, and the queue until it is empty."""

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings
        self._archive = Archive(clients, settings)

    def wait_until_finished(
        self, screenshot_ids: Sequence[str], deadline: float, progress: Callable[[int], None]
    ) -> dict[str, Record]:
        """Wait until each record is a success or failed, or until the deadline (monotonic seconds).

        Calls `progress` with the number of finished records. Returns the records by id.
        """
        waiting = list(dict.fromkeys(screenshot_ids))
        records: dict[str, Record] = {}
        while waiting:
            for start in range(0, len(waiting), BATCH_SIZE):
                records |= self._archive.records_by_id(waiting[start : start + BATCH_SIZE])
            waiting = [each for each in waiting if each not in records or records[each].status not in FINISHED]
            progress(len(records) - len([each for each in waiting if each in records]))
            if time.monotonic() > deadline:
                break
            if waiting:
                time.sleep(POLL_SECONDS)
        return records

    def wait_until_drained(self, deadline: float) -> int:
        """Wait until the queue is empty, or until the deadline. Returns how many messages are left."""
        while True:
            left = sum(message_counts(self._clients, self._settings.queue_url))
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(POLL_SECONDS)
