"""Events: what has happened to a screenshot, read off the changes of its record.

The completion of a capture is one conditional write, so the changes of the table are the outbox: every completion is
among them, and nothing that was not completed (Chris Richardson, "Transactional outbox").
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from stillframe.archive import is_record
from stillframe.request.envelope import EventKind
from stillframe.table.attributes import STATUS
from stillframe.table.record import Record, Status

KINDS = {Status.SUCCESS: EventKind.CAPTURED, Status.FAILED: EventKind.FAILED}
ID_CHARS = 32


@dataclass(frozen=True, slots=True)
class Event:
    """One event. The id is the same however often the change is read. `time_ms` is milliseconds since the epoch."""

    id: str
    kind: EventKind
    time_ms: int
    record: Record

    @classmethod
    def of_change(cls, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> tuple[Self, ...]:
        """The events of a change, from the item before and after in DynamoDB's typed form.

        A record that becomes final is an event, and a second one if the page has changed in a way that was not reported
        before. Another write of the same completion is none: the SDK sends a call again whose answer was lost, and a
        record that is final may get an attribute.
        """
        after = _final_record(new)
        if after is None or _completion(_final_record(old)) == _completion(after):
            return ()
        kinds = [KINDS[after.status], *([EventKind.CHANGED] if after.changed and after.changed_since is None else [])]
        return tuple(cls(event_id(after, kind), kind, after.updated_at or 0, after) for kind in kinds)


def event_id(record: Record, kind: EventKind | None = None) -> str:
    """The id of an event of a final record: of this claim's completion, and of no other.

    Without a `kind`, it is the event that every completion is.
    """
    told = kind.value if kind is EventKind.CHANGED else record.status
    identity = "\n".join((record.id, told, record.claim_token or ""))
    return f"evt_{hashlib.sha256(identity.encode()).hexdigest()[:ID_CHARS]}"


def _final_record(item: Mapping[str, Any] | None) -> Record | None:
    """None for an item that is no record, or whose record is not final."""
    if not item or item.get(STATUS, {}).get("S") not in KINDS or not is_record(item):
        return None
    return Record.from_item(item)


def _completion(record: Record | None) -> tuple[Status, str | None] | None:
    return (record.status, record.claim_token) if record is not None else None
