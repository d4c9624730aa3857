"""A day of watched pages in fast time: what is reported, and what is not."""

from __future__ import annotations

from tests.support.cloud import Cloud

from .watched_week import watch_pages

HOURS = 12


def test_a_change_is_reported_once_with_its_place_and_its_text(cloud: Cloud, chromium: str) -> None:
    # Given / When a page with an ignored clock, one whose price changes once, one that gets a notice on top
    week = watch_pages(cloud, chromium, HOURS)
    assert {page: len(records) for page, records in week.records.items()} == dict.fromkeys(week.records, HOURS)
    # Then the clock is no change, although each image differs
    assert week.reports("clock") == []
    assert len({record.sha256 for record in week.records["clock"]}) == HOURS
    # And the price is one change, with the element that is there and what it says
    (price,) = week.reports("price")
    (region,) = price.changed_regions or [{}]
    assert (region["selector"], region["text"], price.text_changes) == ("#price", "€ 49", {"added": 1, "removed": 1})
    # And the notice is one change, and what it has pushed down has moved, not changed
    (notice,) = week.reports("notice")
    assert [(each["kind"], each.get("selector")) for each in notice.changed_regions or ()] == [("added", "#notice")]
    assert {move["by"] for move in notice.moved or ()} == {140}
