"""What is promised about events: checked at every entry of PutEvents, and at the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from stillframe.table.attributes import from_attributes

from .aws.event_bus import Entry, SimulatedEventBus
from .aws.table import SimulatedTable
from .promise import Promise, Violation

# Far longer than any fault lasts. Lambda would give a change up after half a day.
MAX_BUSY_MS = 6 * 3_600_000
TYPES = {"success": "Screenshot Captured", "failed": "Screenshot Failed"}
CHANGED = "Screenshot Changed"
OF_SCREENSHOTS = "Screenshot "
# An id, what is told of it, and under which of its claims it ended: they are counted, and each has its time.
Completion = tuple[str, str, int, int]


class EventPromises:
    """Watches the writes of the table and the entries on the bus."""

    def __init__(
        self, broken: Callable[[Promise, str], Violation], table: SimulatedTable, bus: SimulatedEventBus
    ) -> None:
        self._broken = broken
        # Each completion, with the ids of the events that were sent for it.
        self._completions: dict[Completion, set[str]] = {}
        self._owners: dict[str, Completion] = {}
        table.watchers.append(self._written)
        bus.watchers.append(self._sent)

    def check_end(self) -> None:
        """Check, when nothing runs any longer, that every completion has its event."""
        missing = [completion for completion, ids in self._completions.items() if not ids]
        if missing:
            raise self._broken(Promise.EVERY_EVENT, f"there is no event of {_text(missing[0])}")

    def check_busy(self, since_ms: int, now_ms: int) -> None:
        """Check that no change keeps the notifier busy for hours."""
        if now_ms - since_ms > MAX_BUSY_MS:
            raise self._broken(Promise.EVERY_EVENT, "the notifier fails for hours")

    def _written(self, key: str, old: Any, new: Any) -> None:
        status = new.get("status", {}).get("S")
        if status in TYPES:
            record = from_attributes(new)
            for told in (TYPES[status], *([CHANGED] if record.get("changed") and "changedSince" not in record else [])):
                self._completions.setdefault(_completion(record, told), set())

    def _sent(self, entry: Entry) -> None:
        if not entry["DetailType"].startswith(OF_SCREENSHOTS):
            return
        detail = json.loads(entry["Detail"])
        event_id, completion = detail["eventId"], _completion(detail, entry["DetailType"])
        if completion not in self._completions:
            raise self._broken(Promise.ONLY_FINAL, f"an event says that {_text(completion)}")
        ids = self._completions[completion]
        ids.add(event_id)
        if len(ids) > 1 or self._owners.setdefault(event_id, completion) != completion:
            raise self._broken(Promise.SAME_EVENT, f"{_text(completion)}, in events {sorted(ids)}")


def _completion(record: dict[str, Any], told: str) -> Completion:
    return record["id"], told, record["attempts"], record.get("claimedAt", 0)


def _text(completion: Completion) -> str:
    return f"{completion[0]} is a {completion[1]} after claim {completion[2]}"
