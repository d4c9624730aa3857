"""The cost model counts what is written."""

from __future__ import annotations

import itertools

import pytest

from stillframe.table.record import Status, index_shard
from stillframe_cli.capacity import prices


def test_the_index_is_written_as_often_as_the_key_of_a_record_changes() -> None:
    # Given the index key of a record from its first message to its success, which gives it up
    keys = [None, index_shard(Status.QUEUED, "page-1"), index_shard(Status.PROCESSING, "page-1"), None]
    # When DynamoDB keeps the index up to date, it deletes the item under the old key and puts it under the new one
    writes = sum(
        (before is not None) + (after is not None) for before, after in itertools.pairwise(keys) if before != after
    )
    # Then the model counts as many
    assert writes == prices.INDEX_WRITES


@pytest.mark.parametrize(("has_fleet", "expected"), [(False, 16.60), (True, 25.60)])
def test_a_month_without_captures_costs_its_monitoring(has_fleet: bool, expected: float) -> None:
    costs = prices.monthly_services_usd(0, 250_000, has_fleet)
    assert costs == {"queueTableBucketLogs": 0, "storage": 0, "monitoring": pytest.approx(expected)}
