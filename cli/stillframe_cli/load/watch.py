"""Waiting until everything that was sent has its end in a record."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from stillframe.clients import Clients
from stillframe.settings import Settings
from stillframe.table.record import Record, Status
from stillframe_cli.archive import Archive
from stillframe_cli.backlog import message_counts

POLL_SECONDS = 0.5
# Of BatchGetItem.
BATCH = 100
ENDED = (Status.SUCCESS, Status.FAILED)


class Watch:
    """Reads records until all have ended, and then waits for the queue to be empty."""

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings
        self._archive = Archive(clients, settings)

    def until_ended(
        self, capture_ids: Sequence[str], deadline: float, progress: Callable[[int], None]
    ) -> dict[str, Record]:
        """The records, by id, once each is a success or a failure, or at the deadline (monotonic seconds).

        `progress` is told how many have ended.
        """
        waiting = list(dict.fromkeys(capture_ids))
        records: dict[str, Record] = {}
        while waiting:
            for start in range(0, len(waiting), BATCH):
                records |= self._archive.records_of(waiting[start : start + BATCH])
            waiting = [each for each in waiting if each not in records or records[each].status not in ENDED]
            progress(len(records) - len([each for each in waiting if each in records]))
            if time.monotonic() > deadline:
                break
            if waiting:
                time.sleep(POLL_SECONDS)
        return records

    def until_drained(self, deadline: float) -> int:
        """How many messages the queue still holds: none, unless the deadline came first."""
        while True:
            left = sum(message_counts(self._clients, self._settings.queue_url))
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(POLL_SECONDS)
