"""One canonical log line and one metric record per capture."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import replace

import pytest

from stillframe.cost import Cost, worker_architecture
from stillframe.image.page_facts import PageFacts
from stillframe.image.render_result import StoredImage
from stillframe.outcome import Outcome, OutcomeKind
from stillframe_renderer.observability import MetricEmitter, json_logger, log_outcome, measurements

IMAGE = StoredImage(
    "k",
    "s3://b/k",
    "image/png",
    1234,
    10,
    20,
    "00",
    PageFacts(http_status=200, final_url="https://x", title="Title", blank=False),
)
CAPTURED = Outcome(
    kind=OutcomeKind.CAPTURED,
    acknowledge=True,
    id="a",
    url="https://example.com/",
    message_id="m",
    attempts=1,
    image=IMAGE,
    render_ms=321,
    claim_age_ms=45,
    duration_ms=400,
    cost=Cost(cpu_ms=180, billed_ms=200, memory_mb=2048),
    aws_ms={"claim": 12, "put": 30, "complete": 8},
)


def outcome(kind: OutcomeKind, code: str | None = None) -> Outcome:
    return Outcome(kind=kind, acknowledge=True, id="a", url="u", message_id="m", reason=code, error_code=code)


@pytest.mark.parametrize(
    ("kind", "code", "level"),
    [
        (OutcomeKind.CAPTURED, None, "INFO"),
        (OutcomeKind.SKIPPED, None, "INFO"),
        (OutcomeKind.FAILED, "UNKNOWN_HOST", "WARNING"),
        (OutcomeKind.RETRY, "TIMEOUT", "WARNING"),
        (OutcomeKind.RETRY, "AWS_ERROR", "ERROR"),
        (OutcomeKind.RETRY, "UNEXPECTED", "ERROR"),
    ],
)
def test_the_level_follows_the_outcome(
    kind: OutcomeKind, code: str | None, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="stillframe"):
        log_outcome(outcome(kind, code))
    assert [record.levelname for record in caplog.records] == [level]


def test_the_line_is_json_with_wire_names() -> None:
    stream = io.StringIO()
    json_logger("INFO", stream)
    log_outcome(CAPTURED)
    line = json.loads(stream.getvalue())
    wanted = {
        "outcome": "captured",
        "renderMs": 321,
        "claimAgeMs": 45,
        "bytes": 1234,
        "receiveCount": 1,
        "title": "Title",
        "awsMs": {"claim": 12, "put": 30, "complete": 8},
    }
    assert line.items() >= wanted.items()


def test_modules_of_the_renderer_log_to_the_same_stream() -> None:
    stream = io.StringIO()
    json_logger("INFO", stream)
    logging.getLogger("stillframe_renderer.browsers.pool").warning("the browser is replaced", extra={"chromiumPid": 7})
    assert json.loads(stream.getvalue())["chromiumPid"] == 7


def test_a_metric_record_is_one_line_in_embedded_metric_format() -> None:
    stream = io.StringIO()
    MetricEmitter(stream)(CAPTURED)
    record, _ = [json.loads(line) for line in stream.getvalue().splitlines()]
    (definition,) = record["_aws"]["CloudWatchMetrics"]
    assert definition["Namespace"] == "Stillframe"
    assert {metric["Name"] for metric in definition["Metrics"]} == {
        "Captures", "Duration", "ReceiveCount", "RenderDuration", "ImageSize", "ClaimAge", "CpuTime",
        "BilledTime", "EstimatedUsd", "AwsTime",
    }  # fmt: skip
    assert (record["outcome"], record["Duration"], record["ImageSize"]) == ("captured", [400], [1234])
    assert record["AwsTime"] == [50]


def test_a_delivery_that_is_not_captured_is_counted_by_reason() -> None:
    # Given / When a retry
    stream = io.StringIO()
    MetricEmitter(stream)(outcome(OutcomeKind.RETRY, "TIMEOUT"))
    # Then its code has its own metric
    _, record = [json.loads(line) for line in stream.getvalue().splitlines()]
    (definition,) = record["_aws"]["CloudWatchMetrics"]
    assert definition["Dimensions"] == [["outcome", "reason", "service"]]
    assert (record["outcome"], record["reason"], record["Reasons"]) == ("retry", "TIMEOUT", [1])


USD = Cost(cpu_ms=180, billed_ms=200, memory_mb=2048).usd[worker_architecture()]
BLANK = replace(
    CAPTURED, image=replace(IMAGE, facts=PageFacts(http_status=200, final_url="https://x", title="Title", blank=True))
)


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (CAPTURED, {"LostClaims": 0, "FailedCaptures": 0, "BlankImages": 0, "EstimatedUsd": USD}),
        (BLANK, {"LostClaims": 0, "FailedCaptures": 0, "BlankImages": 100, "EstimatedUsd": USD}),
        (outcome(OutcomeKind.SKIPPED, "already_success"), {"LostClaims": 100}),
        (outcome(OutcomeKind.RETRY, "CLAIM_HELD"), {"LostClaims": 100}),
        (replace(outcome(OutcomeKind.FAILED, "TIMEOUT"), attempts=2), {"LostClaims": 0, "FailedCaptures": 100}),
        (outcome(OutcomeKind.RETRY, "AWS_ERROR"), {"ServiceErrors": 1}),
        (replace(outcome(OutcomeKind.RETRY, "UNEXPECTED"), attempts=1), {"LostClaims": 0, "ServiceErrors": 1}),
        # What a retry costs counts as well.
        (
            replace(outcome(OutcomeKind.RETRY, "TIMEOUT"), attempts=1, cost=CAPTURED.cost),
            {"LostClaims": 0, "EstimatedUsd": USD},
        ),
        # No claim was attempted.
        (outcome(OutcomeKind.RETRY, "HOST_BUSY"), {}),
    ],
)
def test_the_metrics_of_alarms_cover_every_delivery(ended: Outcome, expected: dict[str, float]) -> None:
    # Given / When the measurements of a delivery
    overall = [each for each in measurements(ended) if not each.dimensions]
    # Then its rates are 0 or 100, and a step that was not tried has none
    assert {name: value for each in overall for name, (_, value) in each.values.items()} == expected


def test_each_decision_of_the_guard_has_its_own_metric() -> None:
    stream = io.StringIO()
    MetricEmitter(stream).refused({"deny.private": 3, "deny.port": 1})
    records = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(record["decision"], record["RefusedConnections"]) for record in records] == [
        ("deny.private", [3]),
        ("deny.port", [1]),
    ]
    assert {"decision", "service"} in [set(each) for each in records[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"]]
