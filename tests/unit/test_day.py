"""The days of a watch follow each other without a gap, by the clocks of any time zone."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillframe.watches.day import MAX_DAYS, Day, ended_days

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
# Clocks are put forward at midnight in Cairo, by half an hour on Lord Howe, and a day was left out on Samoa.
ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Apia")


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def test_a_day_is_from_midnight_to_midnight() -> None:
    now_ms = ms("2026-01-03T12:00")
    assert list(ended_days("UTC", ms("2026-01-01T00:00"), now_ms)) == [
        Day(date(2026, 1, 1), ms("2026-01-01T00:00"), ms("2026-01-02T00:00")),
        Day(date(2026, 1, 2), ms("2026-01-02T00:00"), ms("2026-01-03T00:00")),
    ]


def test_of_what_was_never_told_only_the_last_day_is() -> None:
    (day,) = ended_days("UTC", None, ms("2026-01-03T12:00"))
    assert day.date == date(2026, 1, 2)


def test_a_day_is_told_when_it_has_ended_and_not_before() -> None:
    told_ms = ms("2026-01-02T00:00")
    assert list(ended_days("UTC", told_ms, ms("2026-01-03T00:00") - 1)) == []
    assert len(list(ended_days("UTC", told_ms, ms("2026-01-03T00:00")))) == 1


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_on_which_the_clocks_change_is_shorter_or_longer(day: str, hours: int) -> None:
    (found,) = ended_days("Europe/Berlin", None, ms(f"{day}T12:00") + DAY_MS)
    assert (str(found.date), found.until_ms - found.since_ms) == (day, hours * HOUR_MS)


def test_where_clocks_are_put_forward_at_midnight_the_day_begins_at_one() -> None:
    # Given the day on which Cairo has no midnight
    (day,) = ended_days("Africa/Cairo", None, ms("2026-04-25T12:00"))
    # Then it has 23 hours
    assert (str(day.date), (day.until_ms - day.since_ms) / HOUR_MS) == ("2026-04-24", 23)


def test_what_is_older_than_a_week_is_told_no_more() -> None:
    days = list(ended_days("UTC", ms("2025-06-01T00:00"), ms("2026-01-20T12:00")))
    assert [str(day.date) for day in days] == [f"2026-01-{number}" for number in range(20 - MAX_DAYS, 20)]


def test_another_time_zone_leaves_no_gap() -> None:
    # Given a watch at UTC that was told of until midnight, and is at the clocks of Los Angeles since
    told_ms = ms("2026-01-03T00:00")
    first, second = ended_days("America/Los_Angeles", told_ms, ms("2026-01-04T12:00"))
    # Then the next day is the rest of the one there, and begins where the last one has ended
    assert (first.since_ms, first.until_ms) == (told_ms, ms("2026-01-03T08:00"))
    assert (second.since_ms, second.until_ms) == (ms("2026-01-03T08:00"), ms("2026-01-04T08:00"))


@given(
    st.sampled_from(ZONES),
    st.integers(ms("2011-12-20T00:00"), ms("2030-01-01T00:00")),
    st.integers(0, 9 * DAY_MS),
)
def test_days_follow_each_other_and_all_have_ended(zone: str, told_ms: int, passed_ms: int) -> None:
    # Given a time since the last day that was told of
    now_ms = told_ms + passed_ms
    days = list(ended_days(zone, told_ms, now_ms))
    # Then each day begins where the one before it ended, and none is empty or has not ended
    assert all(day.since_ms < day.until_ms <= now_ms for day in days)
    assert all(before.until_ms == after.since_ms for before, after in itertools.pairwise(days))
    # And what is left is less than a day, or the day on which clocks are put back
    assert now_ms - (days[-1].until_ms if days else told_ms) < DAY_MS + 2 * HOUR_MS
