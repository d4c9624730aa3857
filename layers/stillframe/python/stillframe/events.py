"""Events: what has happened to a screenshot, read off the changes of its record, and what a watch saw in a day.

The completion of a capture is one conditional write, so the changes of the table are the outbox: every completion is
among them, and nothing that was not completed (Chris Richardson, "Transactional outbox").
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from stillframe.archive import is_record
from stillframe.request.envelope import EventKind
from stillframe.table.attributes import STATUS
from stillframe.table.record import Record, Status

if TYPE_CHECKING:
    from stillframe.watches.day_digest import DayDigest

KINDS = {Status.SUCCESS: EventKind.CAPTURED, Status.FAILED: EventKind.FAILED}
ID_CHARS = 32


@dataclass(frozen=True, slots=True)
class Event:
    """One event. The id is the same however often what it tells of is read. `time_ms` is milliseconds since the epoch.

    The `subject` is the record that became final, or the digest of a day.
    """

    id: str
    kind: EventKind
    time_ms: int
    subject: Record | DayDigest

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
        kinds = [KINDS[after.status], *([EventKind.CHANGED] if after.reports_change else [])]
        return tuple(cls(event_id(after, kind), kind, after.updated_at or 0, after) for kind in kinds)

    @classmethod
    def of_day(cls, digest: DayDigest) -> Self:
        """The event of a day that has ended. The end is in its id: it is never that of another day of the page."""
        return cls(_id(digest.id, EventKind.DIGEST, str(digest.until)), EventKind.DIGEST, digest.until, digest)


def event_id(record: Record, kind: EventKind | None = None) -> str:
    """The id of an event of a final record: of this claim's completion, and of no other.

    Without a `kind`, it is the event that every completion is.
    """
    told = kind.value if kind is EventKind.CHANGED else record.status
    return _id(record.id, told, record.claim_token or "")


def _id(*identity: str) -> str:
    return f"evt_{hashlib.sha256(chr(10).join(identity).encode()).hexdigest()[:ID_CHARS]}"


def _final_record(item: Mapping[str, Any] | None) -> Record | None:
    """None for an item that is no record, or whose record is not final."""
    if not item or item.get(STATUS, {}).get("S") not in KINDS or not is_record(item):
        return None
    return Record.from_item(item)


def _completion(record: Record | None) -> tuple[Status, str | None] | None:
    return (record.status, record.claim_token) if record is not None else None
