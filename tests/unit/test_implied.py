"""What a success does not hold, because it is as it nearly always is, its readers see nevertheless."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.table.attributes import from_attributes, to_attributes
from stillframe.table.implied import without_implied
from stillframe.table.record import Record, Status

ORDINARY = {"requests": 3, "memoryMb": 1024, "failedRequests": 0, "settled": True, "pageContentType": "text/html"}
HELD = {"requests": 3, "memoryMb": 1024}
# At 0.0000133334 and 0.0000166667 USD for a GB-second.
USD = {"arm64": 1.33334e-06, "x86": 1.66667e-06}


@pytest.mark.parametrize(
    ("facts", "held"),
    [
        (ORDINARY, HELD),
        ({**ORDINARY, "failedRequests": 1}, {**HELD, "failedRequests": 1}),
        ({**ORDINARY, "settled": False}, {**HELD, "settled": False}),
        ({**ORDINARY, "pageContentType": "image/svg+xml"}, {**HELD, "pageContentType": "image/svg+xml"}),
        # A fact that is not known is held as such.
        ({**HELD, "failedRequests": 0, "settled": True}, {**HELD, "pageContentType": None}),
        # An image that was adopted, of whose page little is known.
        ({"httpStatus": 200}, {"httpStatus": 200}),
        ({"settled": True}, {"settled": True}),
        ({"billedMs": 100, "memoryMb": 1024, "estimatedUsd": USD}, {"billedMs": 100, "memoryMb": 1024}),
        # Records of an earlier version.
        ({"requests": 3, "settled": True}, {"requests": 3, "settled": True}),
        ({"billedMs": 100, "estimatedUsd": USD}, {"billedMs": 100, "estimatedUsd": USD}),
    ],
)
def test_readers_see_what_an_item_leaves_out(facts: dict[str, Any], held: dict[str, Any]) -> None:
    # Given / When the facts of a capture become those of an item
    assert without_implied(facts) == held
    # Then a reader of the item sees the facts, and no others
    item = to_attributes({"id": "a", "status": "success", **held})
    seen = Record.model_validate(from_attributes(item)).to_wire()
    always = Record(id="a", status=Status.SUCCESS).to_wire()
    assert {name: value for name, value in seen.items() if name not in always} == facts


def test_a_record_of_an_earlier_version_is_read_as_it_is() -> None:
    # Given a success that holds everything, as all did
    item = {"id": "a", "status": "success", "requests": 3, "failedRequests": 1, "settled": True, "finalUrl": "u"}
    record = Record.model_validate({**item, "pageContentType": "text/plain"})
    assert (record.failed_requests, record.settled, record.page_content_type) == (1, True, "text/plain")


def test_a_record_that_is_no_success_implies_nothing() -> None:
    record = Record.model_validate({"id": "a", "status": "failed", "httpStatus": 500, "requests": 1})
    assert (record.settled, record.failed_requests) == (None, None)
