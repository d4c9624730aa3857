"""One canonical log line and one metric record per capture."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from stillframe.cost import Cost, worker_architecture
from stillframe.image.page_facts import PageFacts
from stillframe.image.render_result import StoredImage
from stillframe.outcome import Outcome, OutcomeKind
from stillframe_renderer.embedded_metrics import MAX_VALUES, MetricEmitter
from stillframe_renderer.observability import json_logger, log_outcome, measurements

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
        "awsMs": {"claim": 12, "put": 30, "complete": 8},
    }
    assert line.items() >= wanted.items()
    # And not what the record has, or what is the same in every line
    assert not {"title", "sha256", "s3Url", "estimatedUsd", "location"} & line.keys()


def test_the_line_has_everything_when_debugging() -> None:
    stream = io.StringIO()
    json_logger("DEBUG", stream)
    log_outcome(CAPTURED)
    assert json.loads(stream.getvalue()).items() >= CAPTURED.to_wire().items()


def test_modules_of_the_renderer_log_to_the_same_stream() -> None:
    stream = io.StringIO()
    json_logger("INFO", stream)
    logging.getLogger("stillframe_renderer.browsers.pool").warning("the browser is replaced", extra={"chromiumPid": 7})
    assert json.loads(stream.getvalue())["chromiumPid"] == 7


def emitted(*outcomes: Outcome) -> list[dict[str, Any]]:
    """The lines with the metrics of a batch."""
    stream = io.StringIO()
    emitter = MetricEmitter(stream)
    for each in outcomes:
        emitter(each)
    assert stream.getvalue() == ""
    emitter.flush()
    emitter.flush()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def names_of(line: dict[str, Any]) -> dict[tuple[str, ...], set[str]]:
    """The metrics of a line by their dimensions."""
    directives = line["_aws"]["CloudWatchMetrics"]
    assert {each["Namespace"] for each in directives} == {"Stillframe"}
    return {tuple(each["Dimensions"][0]): {metric["Name"] for metric in each["Metrics"]} for each in directives}


def test_a_batch_is_one_line_in_embedded_metric_format() -> None:
    # Given / When five captures of one batch
    (line,) = emitted(*(replace(CAPTURED, duration_ms=400 + number) for number in range(5)))
    # Then one line has the metrics of the outcome, and those of all deliveries, with the values of each
    assert names_of(line) == {
        ("outcome", "service"): {
            "Captures", "Duration", "RenderDuration", "ImageSize", "ClaimAge", "CpuTime", "BilledTime", "EstimatedUsd",
            "AwsTime",
        },
        ("service",): {"LostClaims", "FailedCaptures", "BlankImages", "EstimatedUsd"},
    }  # fmt: skip
    assert (line["outcome"], line["service"]) == ("captured", "stillframe")
    assert (line["Duration"], line["ImageSize"]) == ([400, 401, 402, 403, 404], [1234] * 5)
    assert line["AwsTime"] == [50] * 5


def test_outcomes_that_differ_share_no_member() -> None:
    # Given / When a capture, and a retry whose cost counts for all deliveries
    retry = replace(outcome(OutcomeKind.RETRY, "TIMEOUT"), attempts=1, cost=Cost(90, 100, 2048))
    lines = emitted(CAPTURED, retry)
    # Then each metric has the values of its own dimensions
    values = {
        (*dimensions, line.get("outcome"), name): line[name]
        for line in lines
        for dimensions, names in names_of(line).items()
        for name in names
    }
    both, one = CAPTURED.cost, retry.cost
    assert both is not None
    assert one is not None
    captured_usd, retry_usd = both.usd[worker_architecture()], one.usd[worker_architecture()]
    by_outcome = {key[2]: value for key, value in values.items() if len(key) == 4 and key[3] == "EstimatedUsd"}
    assert by_outcome == {"captured": [captured_usd], "retry": [retry_usd]}
    (overall,) = [value for key, value in values.items() if len(key) == 3 and key[2] == "EstimatedUsd"]
    assert overall == [captured_usd, retry_usd]


def test_a_metric_has_no_more_values_than_a_line_may_have() -> None:
    lines = emitted(*[CAPTURED] * (MAX_VALUES + 1))
    assert [len(line["Captures"]) for line in lines] == [MAX_VALUES, 1]


def test_a_delivery_that_is_not_captured_is_counted_by_reason() -> None:
    # Given / When a retry, then its code has its own metric
    (line,) = emitted(outcome(OutcomeKind.RETRY, "TIMEOUT"))
    assert names_of(line) == {("outcome", "service"): {"Captures"}, ("outcome", "reason", "service"): {"Reasons"}}
    assert (line["outcome"], line["reason"], line["Reasons"]) == ("retry", "TIMEOUT", [1])


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
