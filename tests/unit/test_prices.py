"""The cost model counts what is written."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.function_report import RESULTS, usd_per_thousand
from stillframe.cost import Cost
from stillframe.image.page_facts import PageFacts
from stillframe.image.render_result import StoredImage
from stillframe.outcome import Outcome, OutcomeKind
from stillframe.table.record import Status, index_shard
from stillframe_cli.capacity import prices
from stillframe_renderer.observability import measurements

ROOT = Path(__file__).parents[2]
MAX_TEXT_USD = 0.0155


def test_the_index_is_written_as_often_as_the_key_of_a_record_changes() -> None:
    # Given the index key of a record from its first message to its success, which gives it up
    keys = [None, index_shard(Status.QUEUED, "page-1"), index_shard(Status.PROCESSING, "page-1"), None]
    # When DynamoDB keeps the index up to date, it deletes the item under the old key and puts it under the new one
    writes = sum(
        (before is not None) + (after is not None) for before, after in itertools.pairwise(keys) if before != after
    )
    # Then the model counts as many
    assert writes == len(prices.INDEX_WRITES)


@pytest.mark.parametrize(("has_fleet", "expected"), [(False, 11.50), (True, 23.30)])
def test_a_month_without_captures_costs_its_monitoring(has_fleet: bool, expected: float) -> None:
    costs = prices.monthly_services_usd(0, 250_000, has_fleet)
    assert costs == {"queueTableBucketLogs": 0, "storage": 0, "monitoring": pytest.approx(expected)}


def test_the_metrics_are_those_of_every_outcome_with_one_reason() -> None:
    # Given deliveries of each outcome, each with what it is known to have
    spent = {"cost": Cost(1, 1, 2048), "aws_ms": {"claim": 1}, "claim_age_ms": 1}
    image = StoredImage(
        "k", "s3://b/k", "image/png", 1, 1, 1, "00", PageFacts(http_status=200, final_url="u", title="")
    )
    deliveries = [
        ended(OutcomeKind.CAPTURED, image=image, render_ms=1, latency_ms=1, attempts=1, **spent),
        ended(OutcomeKind.SKIPPED, reason="already_success", **spent),
        ended(OutcomeKind.FAILED, reason="UNKNOWN_HOST", error_code="UNKNOWN_HOST", attempts=1, **spent),
        ended(OutcomeKind.RETRY, reason="TIMEOUT", error_code="TIMEOUT", attempts=1, **spent),
    ]
    # When CloudWatch counts a name with its dimensions as one metric, then the model counts as many
    series = {
        (name, *sorted(each.dimensions.items()))
        for delivery in deliveries
        for each in measurements(delivery)
        for name in each.values
    }
    assert len(series) == prices.METRICS


def test_a_write_is_rounded_up_to_the_next_kilobyte() -> None:
    assert [prices.write_units(sizes) for sizes in ([1], [1024], [1025], [250, 400, 900])] == [1, 1, 2, 3]


def test_a_batch_shares_requests_and_log_lines() -> None:
    alone, together = prices.service_usd(1000, 1), prices.service_usd(1000, 5)
    shared = prices.SQS_REQUESTS_PER_BATCH * prices.SQS_PER_REQUEST + prices.LOG_BYTES_PER_BATCH / 1e9 * 0.5
    assert alone - together == pytest.approx(1000 * shared * 4 / 5)


def test_a_thousand_captures_of_text_pages_cost_less_than_what_is_promised() -> None:
    # Given what text pages took when they were measured last, in full events of the small preset (docs/cost.md)
    result = json.loads(RESULTS.read_text())
    run = list(result["images"].values())[-1]["1536"]["runs"]["text/300/5"]
    # When compute is priced for arm64, and queue, table, bucket and logs are added
    _, usd = usd_per_thousand(run, "arm64", 5)
    # Then all in all it is no more than this
    assert usd <= MAX_TEXT_USD


def ended(kind: OutcomeKind, **facts: Any) -> Outcome:
    return Outcome(kind=kind, acknowledge=True, id="a", url="u", message_id="m", **facts)
