"""What a success does not hold, because its other attributes say the same, its readers see nevertheless."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.table.attributes import from_attributes, to_attributes
from stillframe.table.implied import without_implied
from stillframe.table.record import Record

URL = "https://example.com/"
OTHER = "https://www.example.com/"


@pytest.mark.parametrize(
    ("facts", "held"),
    [
        ({"httpStatus": 200, "finalUrl": URL}, {"httpStatus": 200}),
        ({"httpStatus": 200, "finalUrl": OTHER}, {"httpStatus": 200, "finalUrl": OTHER}),
        # Too long to be kept: it is not the requested one.
        ({"httpStatus": 200}, {"httpStatus": 200, "finalUrl": ""}),
        # No page has answered.
        ({}, {}),
        ({"finalUrl": URL}, {"finalUrl": URL}),
        ({"requests": 3, "failedRequests": 0}, {"requests": 3}),
        ({"requests": 3, "failedRequests": 1}, {"requests": 3, "failedRequests": 1}),
        ({"failedRequests": 0}, {"failedRequests": 0}),
        ({"requests": 3}, {"requests": 3}),
    ],
)
def test_readers_see_what_an_item_leaves_out(facts: dict[str, Any], held: dict[str, Any]) -> None:
    # Given / When the facts of a capture become those of an item
    assert without_implied(facts, URL) == held
    # Then a reader of the item sees the facts
    item = to_attributes({"id": "a", "status": "success", "url": URL, **held})
    seen = Record.model_validate(from_attributes(item)).to_wire()
    missing = {"failedRequests": 0} if facts == {"requests": 3} else {}
    assert seen.items() >= (facts | missing).items()
    assert seen.get("finalUrl") == facts.get("finalUrl")


def test_a_record_that_is_no_success_implies_nothing() -> None:
    record = Record.model_validate({"id": "a", "status": "failed", "url": URL, "httpStatus": 500, "requests": 1})
    assert (record.final_url, record.failed_requests) == (None, None)
