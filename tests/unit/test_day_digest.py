"""The digest of a day: what its periods have become, and the form in which it is sent."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from stillframe.event_detail import detail_of
from stillframe.events import Event
from stillframe.request.envelope import EventKind
from stillframe.table.record import Record, Status
from stillframe.watches.day import Day
from stillframe.watches.day_digest import MAX_CHANGES, DayDigest
from stillframe.watches.declared import Declared
from stillframe.watches.history import Period
from stillframe.watches.watch import Watch
from stillframe.webhooks.message import WebhookMessage

HOUR_MS = 3_600_000
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
URL = "https://example.com/shoes"
DAY = Day(date(2026, 1, 1), START_MS, START_MS + 24 * HOUR_MS)
WATCH = Watch.new(Declared.of("shop", {"urls": [URL], "every": "1h", "compare": True}), START_MS - 1)
SCHEMA = Path(__file__).parents[2] / "docs/digest-v1.schema.json"


def period(hour: int, status: Status | None = Status.SUCCESS, **values: Any) -> Period:
    """The period of an hour, with a record if it has a status, and over if it has none."""
    at_ms = START_MS + hour * HOUR_MS
    image: dict[str, Any] = {"s3_url": f"s3://images/{hour}.png"} if status is Status.SUCCESS else {}
    record = Record(id=f"id{hour}", status=status, **image, **values) if status is not None else None
    return Period(WATCH, URL, at_ms, record, is_over=True)


def changed(hour: int, **values: Any) -> Period:
    before: dict[str, Any] = {"compared_to": "id0", "compared_to_url": "s3://images/0.png"}
    return period(hour, changed=True, difference=0.02, extras={"difference": f"s3://d/{hour}.png"}, **before, **values)


def digest(*periods: Period) -> DayDigest:
    return DayDigest.of(WATCH, URL, DAY, periods)


def test_each_period_is_counted_by_what_became_of_it() -> None:
    # Given / When a day with three captures, two kinds of failures, and a period that nobody has asked for
    found = digest(
        *map(period, range(3)),
        period(3, Status.FAILED, error_code="UNKNOWN_HOST"),
        period(4, Status.FAILED, error_code="TIMEOUT"),
        period(5, Status.FAILED, error_code="TIMEOUT"),
        period(6, None),
    )
    # Then it says so, and names the first and the last image
    assert (found.periods, found.captured, found.failed, found.missed, found.changed) == (7, 3, 3, 1, 0)
    assert found.error_codes == {"UNKNOWN_HOST": 1, "TIMEOUT": 2}
    assert (found.first_s3_url, found.last_s3_url) == ("s3://images/0.png", "s3://images/2.png")
    assert found.is_settled


@pytest.mark.parametrize("status", [Status.QUEUED, Status.PROCESSING])
def test_a_day_is_not_settled_while_a_period_is_under_way(status: Status) -> None:
    assert not digest(period(0), period(1, status)).is_settled


def test_a_change_is_told_once_with_its_images() -> None:
    # Given / When a day on which a page changed, and was still changed in the capture after it
    found = digest(period(0), changed(1), changed(2, changed_since="id1"))
    # Then there is one change, with the images before, after and marked
    assert found.changed == 1
    assert found.to_wire()["changes"] == [
        {
            "id": "id1",
            "period": "2026-01-01T01:00:00Z",
            "difference": 0.02,
            "s3Url": "s3://images/1.png",
            "comparedToUrl": "s3://images/0.png",
            "differenceUrl": "s3://d/1.png",
        }
    ]


def test_of_a_page_that_always_changes_the_first_changes_are_named_and_all_are_counted() -> None:
    found = digest(*map(changed, range(MAX_CHANGES + 10)))
    assert (found.changed, len(found.changes)) == (MAX_CHANGES + 10, MAX_CHANGES)


def test_a_password_in_a_url_is_not_told() -> None:
    found = DayDigest.of(WATCH, "https://user:secret@example.com/", DAY, [period(0)])
    assert found.url == "https://example.com/"


def test_what_is_sent_is_as_the_schema_says() -> None:
    # Given the events of an empty day and of a full one
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text()))
    for found in (digest(), digest(changed(1), period(2, Status.FAILED, error_code="UNKNOWN_HOST"))):
        event = Event.of_day(found)
        # When they are sent, then each detail is valid, and the webhook has the same
        detail = detail_of(event)
        validator.validate(detail)
        content = json.loads(WebhookMessage.of(event, "https://hooks.example.com/").content)
        assert (content["type"], content["timestamp"]) == ("watch.digest", "2026-01-02T00:00:00.000Z")
        assert detail == {"version": 1, "eventId": event.id, **content["data"]}
    # And the schema knows every field, and refuses what is none
    assert json.loads(SCHEMA.read_text())["properties"].keys() > detail.keys() - {"cut"}
    assert not validator.is_valid({**detail, "periods": "seven"})


def test_each_day_of_each_page_has_an_event_of_its_own() -> None:
    # Given the digests of two pages and of two days, one of which has two ends, as the time zone was changed
    other = DayDigest.of(WATCH, "https://example.com/hats", DAY, [])
    later = DayDigest.of(WATCH, URL, Day(date(2026, 1, 2), DAY.until_ms, DAY.until_ms + 1), [])
    again = DayDigest.of(WATCH, URL, Day(DAY.date, DAY.until_ms, DAY.until_ms + 8 * HOUR_MS), [])
    events = [Event.of_day(each) for each in (digest(), other, later, again)]
    # Then no two have the same id, and that of a day is the same whatever is found
    assert len({event.id for event in events}) == 4
    assert {event.kind for event in events} == {EventKind.DIGEST}
    assert Event.of_day(digest(period(0))).id == events[0].id
