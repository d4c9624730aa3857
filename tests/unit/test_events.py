"""Events, read off the changes of a record as DynamoDB's stream has them."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.events import Event
from stillframe.request.envelope import EventKind
from stillframe.table.attributes import to_attributes


def item(**values: Any) -> dict[str, Any]:
    return to_attributes({"id": "order-42", "updatedAt": 1_700_000_000_000, **values})


QUEUED = item(status="queued")
PROCESSING = item(status="processing", claimToken="first")
CAPTURED = item(status="success", claimToken="first")
FAILED = item(status="failed", claimToken="first", errorCode="HTTP_STATUS")


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (PROCESSING, CAPTURED, EventKind.CAPTURED),
        (PROCESSING, FAILED, EventKind.FAILED),
        (None, FAILED, EventKind.FAILED),
    ],
)
def test_a_record_that_becomes_final_is_an_event(
    before: dict[str, Any] | None, after: dict[str, Any], kind: EventKind
) -> None:
    # When: the change is read
    (event,) = Event.of_change(before, after)
    # Then: it is an event of the record as it is now
    assert (event.kind, event.subject.id, event.time_ms) == (kind, "order-42", 1_700_000_000_000)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, QUEUED),
        (QUEUED, PROCESSING),
        (PROCESSING, QUEUED),
        (FAILED, QUEUED),
        # The record expired.
        (CAPTURED, None),
        # The same completion, written again after its answer was lost.
        (CAPTURED, item(status="success", claimToken="first", updatedAt=1_700_000_000_500)),
        # An item beside the records.
        (None, to_attributes({"id": "slot", "holder": "first"})),
        (None, to_attributes({"id": "slot#example.com#0", "status": "success"})),
    ],
)
def test_anything_else_is_none(before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
    # When: a change is read that completes nothing
    # Then: there is no event
    assert Event.of_change(before, after) == ()


def test_the_id_is_the_same_however_often_the_change_is_read() -> None:
    # Given: a change, and one of another claim of the same screenshot
    (first,), (again,) = Event.of_change(PROCESSING, FAILED), Event.of_change(None, FAILED)
    (later,) = Event.of_change(PROCESSING, item(status="failed", claimToken="second"))
    # Then: the two readings have one id, and the other failure has another
    assert first.id == again.id != later.id


def test_a_changed_page_is_a_second_event_with_an_id_of_its_own() -> None:
    # Given: a capture that shows a change, and one that does not
    changed = item(status="success", claimToken="first", changed=True)
    same = item(status="success", claimToken="first", changed=False)
    # When: both are read, and the first is read again
    captured, told = Event.of_change(PROCESSING, changed)
    # Then: only the change is told of, always with the same id
    assert (captured.kind, told.kind) == (EventKind.CAPTURED, EventKind.CHANGED)
    assert [event.kind for event in Event.of_change(PROCESSING, same)] == [EventKind.CAPTURED]
    assert captured.id != told.id == Event.of_change(None, changed)[1].id
