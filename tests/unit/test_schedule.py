"""The times of a watch: a rule in a time zone, where clocks are put forward and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillframe.watches.schedule import Schedule

HOUR_MS = 3_600_000


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def texts(moments: list[int]) -> list[str]:
    return [f"{datetime.fromtimestamp(each / 1000, UTC):%d %H:%M}" for each in moments]


@pytest.mark.parametrize(
    ("interval", "expression", "times"),
    [
        ("15m", "cron(0,15,30,45 * * * ? *)", ["01 00:15", "01 00:30", "01 00:45"]),
        ("1h", "cron(0 * * * ? *)", ["01 01:00", "01 02:00", "01 03:00"]),
        ("6H", "cron(0 0,6,12,18 * * ? *)", ["01 06:00", "01 12:00", "01 18:00"]),
        ("1d", "cron(0 0 * * ? *)", ["02 00:00", "03 00:00", "04 00:00"]),
        ("7d", "cron(0 0 ? * 2 *)", ["05 00:00", "12 00:00", "19 00:00"]),
    ],
)
def test_an_interval_begins_at_midnight_utc(interval: str, expression: str, times: list[str]) -> None:
    # Given an interval, when its times of a month are asked for (1 January 2026 is a Thursday)
    schedule = Schedule.every(interval)
    found = list(schedule.between(ms("2026-01-01T00:00Z"), ms("2026-01-31T00:00Z")))
    # Then they are those, and EventBridge Scheduler is told the same
    assert texts(found[:3]) == times
    assert schedule.expression == expression


def test_a_local_time_that_does_not_exist_is_left_out_and_one_that_exists_twice_counts_once() -> None:
    # Given half past two in Berlin, which does not exist on 29 March 2026 and exists twice on 25 October
    schedule = Schedule.of("30 2 * * *", "Europe/Berlin")
    # When the days around them are asked for
    spring = schedule.between(ms("2026-03-27T12:00Z"), ms("2026-03-30T12:00Z"))
    autumn = schedule.between(ms("2026-10-23T12:00Z"), ms("2026-10-26T12:00Z"))
    # Then ("Schedule types in EventBridge Scheduler": skipped in spring, invoked once in autumn)
    assert texts(list(spring)) == ["28 01:30", "30 00:30"]
    assert texts(list(autumn)) == ["24 00:30", "25 00:30", "26 01:30"]


@pytest.mark.parametrize(
    ("rule", "expression"),
    [
        ("0 9-11 * * mon-fri", "cron(0 9,10,11 ? * 2,3,4,5,6 *)"),
        ("0 0 * * 5-7", "cron(0 0 ? * 1,6,7 *)"),
        ("0  0 1,15 * *", "cron(0 0 1,15 * ? *)"),
        ("*/20 4 * 2 *", "cron(0,20,40 4 * 2 ? *)"),
    ],
)
def test_a_rule_is_written_as_the_scheduler_of_aws_counts_days(rule: str, expression: str) -> None:
    assert Schedule.of(rule).expression == expression


@pytest.mark.parametrize(
    ("rule", "timezone", "problem"),
    [
        ("* * * *", "UTC", "has not five fields"),
        ("@daily", "UTC", "has not five fields"),
        ("61 * * * *", "UTC", "bad minute"),
        ("0 0 30 2 *", "UTC", "bad day-of-month"),
        ("0 0 1 * 1", "UTC", "one must be *"),
        ("0 0 * * 5L", "UTC", "has L"),
        ("0 0 L * *", "UTC", "has L"),
        ("0 0 * * *", "Europe/Atlantis", "timezone: 'Europe/Atlantis' is none"),
        ("0 0 * * *", "../../etc/passwd", "is none"),
        ("0 0 * * *", "", "is none"),
        ("1,3,5,7,9-59 1,3,5,7,9-23 1,3,5,7,9-30 1,3,5,7-12 *", "UTC", "too many values"),
    ],
)
def test_a_rule_that_is_wrong_or_means_something_else_in_aws_is_refused(rule: str, timezone: str, problem: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        Schedule.of(rule, timezone)
    assert problem in str(raised.value)


@pytest.mark.parametrize("interval", ["7m", "0m", "60m", "90m", "5h", "24h", "2d", "1w", "", "h", "1.5h", "-1h"])
def test_an_interval_that_does_not_divide_an_hour_or_a_day_is_refused(interval: str) -> None:
    with pytest.raises(ValueError, match="for anything else, use cron"):
        Schedule.every(interval)


ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Santiago")
RULES = ("*/5 * * * *", "30 2 * * *", "0 0 * * *", "15 */6 * * 0", "59 23 28 * *")


@settings(deadline=None)
@given(
    st.sampled_from(ZONES),
    st.sampled_from(RULES),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),
    st.integers(0, 90 * 60),
)
def test_the_latest_the_following_and_all_times_agree(zone: str, rule: str, start: datetime, minutes: int) -> None:
    # Given a rule in a zone, and a time of up to some weeks
    schedule = Schedule.of(rule, zone)
    begin = int(start.replace(tzinfo=UTC).timestamp() * 1000)
    end = int((start.replace(tzinfo=UTC) + timedelta(minutes=minutes)).timestamp() * 1000)
    # When all times of it are asked for
    found = list(schedule.between(begin, end))
    # Then they are in order, none twice, and each is that of the clocks of the zone
    assert found == sorted(set(found))
    assert all(begin < each <= end for each in found)
    # And step by step one comes to the same
    stepped, at = [], begin
    while (following := schedule.following(at)) is not None and following <= end:
        stepped.append(at := following)
    assert stepped == found
    assert list(schedule.backwards(end, begin)) == found[::-1]
    latest = schedule.latest(end)
    assert latest is not None
    assert latest == found[-1] if found else latest <= begin
