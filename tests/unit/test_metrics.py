"""Reading metrics back from CloudWatch: periods that it takes, and windows that it has already filled."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest

from stillframe_cli.metrics import ServiceMetrics

MINUTE = 60
MAX_VALUES = 100_800
NOW = 1_796_000_017.5


class CloudWatch:
    """Records the requests of GetMetricData, and has no values."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    def get_paginator(self, name: str) -> CloudWatch:
        assert name == "get_metric_data"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        self.requests.append(request)
        return iter(())


@pytest.mark.parametrize("seconds", [10, 17, 60, 61, 300, 4000, 3 * 24 * 3600])
def test_an_account_is_only_asked_for_periods_that_it_has(seconds: float) -> None:
    # Given / When the totals of a window are read
    client: Any = CloudWatch()
    ServiceMetrics(client).read_totals(NOW - seconds, NOW)
    # Then each period is a number of whole minutes ("MetricStat"), and together they cover the window
    (request,) = client.requests
    stats = [each["MetricStat"] for each in request["MetricDataQueries"]]
    assert [each["Period"] for each in stats if each["Period"] % MINUTE] == []
    length = (request["EndTime"] - request["StartTime"]).total_seconds()
    assert length >= seconds
    # And the answer is not larger than what CloudWatch returns at once
    assert sum(math.ceil(length / each["Period"]) for each in stats) <= MAX_VALUES


def test_sums_do_not_depend_on_where_a_longer_period_begins() -> None:
    client: Any = CloudWatch()
    ServiceMetrics(client).read_totals(NOW - 300, NOW)
    stats = [each["MetricStat"] for each in client.requests[0]["MetricDataQueries"]]
    assert {each["Period"] for each in stats if each["Stat"] == "Sum"} == {MINUTE}
    assert {each["Period"] for each in stats if each["Stat"] != "Sum"} == {300}


@pytest.mark.parametrize("seconds", [10, 60, 90, 300])
def test_the_monitors_window_ends_before_metrics_that_are_still_on_their_way(seconds: float) -> None:
    # Given / When the window of an account
    client: Any = CloudWatch()
    start, end = ServiceMetrics(client).window(NOW, seconds)
    # Then it has whole minutes, at least as many as asked for, the last of which ended two to three minutes ago
    assert (start % MINUTE, end % MINUTE) == (0, 0)
    assert seconds <= end - start < seconds + MINUTE
    assert 2 * MINUTE <= NOW - end < 3 * MINUTE


def test_an_emulator_has_its_metrics_at_once() -> None:
    client: Any = CloudWatch()
    metrics = ServiceMetrics(client, is_emulated=True)
    assert metrics.window(NOW, 17) == (NOW - 17, NOW)
    metrics.read_totals(NOW - 17, NOW)
    assert {each["MetricStat"]["Period"] for each in client.requests[0]["MetricDataQueries"]} == {17}
