"""EventBridge: PutEvents, which takes or refuses each entry on its own (Amazon EventBridge API Reference)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from .errors import client_error, validation_error

MAX_ENTRIES = 10
MAX_BYTES = 256 * 1024
Entry = dict[str, Any]


class SimulatedEventBus:
    """One bus. `refuses` decides about each entry whether it is throttled."""

    def __init__(self, refuses: Callable[[], bool] = lambda: False) -> None:
        self._refuses = refuses
        self._numbers = itertools.count(1)
        self.entries: list[Entry] = []
        self.watchers: list[Callable[[Entry], None]] = []

    def put_events(self, *, Entries: list[Entry]) -> dict[str, Any]:
        if not 1 <= len(Entries) <= MAX_ENTRIES:
            raise validation_error("PutEvents", f"{len(Entries)} entries")
        if sum(map(_size, Entries)) >= MAX_BYTES:
            raise client_error("PutEvents", "RequestEntityTooLargeException", 413)
        results = [self._put(entry) for entry in Entries]
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    def _put(self, entry: Entry) -> dict[str, str]:
        if self._refuses():
            return {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}
        self.entries.append(entry)
        for watch in self.watchers:
            watch(entry)
        return {"EventId": str(next(self._numbers))}


def _size(entry: Entry) -> int:
    """The size of an entry ("Calculating PutEvents event entry size")."""
    return 14 + sum(len(str(entry[name]).encode()) for name in ("Source", "DetailType", "Detail"))
