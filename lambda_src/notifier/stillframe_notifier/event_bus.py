"""The sink that puts events on a bus of EventBridge."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from stillframe.aws_errors import translated_errors
from stillframe.clients import EventBusClient
from stillframe.errors import CaptureError
from stillframe.event_detail import DETAIL_TYPES, detail_of, to_json
from stillframe.events import Event

logger = logging.getLogger("stillframe.notifier")

# PutEvents, "Request Parameters" and "Calculating PutEvents event entry size": ten entries, and less than 256 KiB for
# all of them together, where the time of an entry counts as 14 bytes.
MAX_ENTRIES = 10
MAX_REQUEST_BYTES = 256 * 1024 - 1
TIME_BYTES = 14
Entry = dict[str, Any]


class EventBus:
    """Puts events on one bus, with the name of the deployment as their source."""

    def __init__(self, client: EventBusClient, bus_name: str, source: str) -> None:
        self._client = client
        self._bus_name = bus_name
        self._source = source

    def send(self, events: Sequence[Event]) -> set[str]:
        """Put the events, several in a call. Once a call fails, the rest waits for the next time."""
        unsent = {event.id for event in events}
        for batch in _batches([(event, self._entry(event)) for event in events]):
            try:
                refused = self._put([entry for _, entry in batch])
            except CaptureError as error:
                logger.error("EventBridge does not take events", extra={"reason": error.message})
                break
            unsent -= {event.id for number, (event, _) in enumerate(batch) if number not in refused}
        return unsent

    def _put(self, entries: list[Entry]) -> set[int]:
        """Put entries in one call. Returns the numbers of those that were refused. Raises CaptureError."""
        with translated_errors("put events"):
            answer = self._client.put_events(Entries=entries)
        if not answer["FailedEntryCount"]:
            return set()
        refused = {number: result for number, result in enumerate(answer["Entries"]) if "EventId" not in result}
        reasons = sorted({f"{result.get('ErrorCode')}: {result.get('ErrorMessage')}" for result in refused.values()})
        logger.error("EventBridge refused events", extra={"refused": len(refused), "reasons": reasons})
        return set(refused)

    def _entry(self, event: Event) -> Entry:
        return {
            "EventBusName": self._bus_name,
            "Source": self._source,
            "DetailType": DETAIL_TYPES[event.kind],
            "Detail": to_json(detail_of(event)),
            # Without a time, EventBridge takes its own.
            **({"Time": event.time_ms / 1000} if event.time_ms else {}),
        }


def _batches(entries: Sequence[tuple[Event, Entry]]) -> Iterator[list[tuple[Event, Entry]]]:
    """Entries in batches that EventBridge takes: by number, and by their bytes together."""
    batch: list[tuple[Event, Entry]] = []
    size = 0
    for event, entry in entries:
        length = TIME_BYTES + sum(len(entry[name].encode()) for name in ("Source", "DetailType", "Detail"))
        if batch and (len(batch) == MAX_ENTRIES or size + length > MAX_REQUEST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((event, entry))
        size += length
    if batch:
        yield batch
