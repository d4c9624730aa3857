"""What commands say to people: verdicts, records, rates and places in words."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from stillframe.settings import Settings
from stillframe.table.record import Record, Status
from stillframe_cli.commands.status import describe_record
from stillframe_cli.console import describe_pace, human_seconds
from stillframe_cli.findings import FindingKind, Summary
from stillframe_cli.local.report import RunSummary, describe
from stillframe_cli.resources import describe_place


def test_an_audit_ends_with_a_verdict() -> None:
    clean = Summary(records=1200, objects=1, pending_messages=3)
    assert clean.verdict == (
        "All is well: nothing is lost, stored twice or stuck (1,200 records, 1 object, 3 messages waiting)."
    )
    found = Counter({FindingKind.LOST: 2, FindingKind.STUCK: 1, FindingKind.ORPHANED: 5})
    bad = Summary(records=2, objects=2, dead_letters=1, found=found)
    assert bad.verdict.startswith("Not well: 2 lost, 1 stuck (2 records, 2 objects, 1 message dead).")


@pytest.mark.parametrize(
    ("status", "values", "sentence"),
    [
        (
            Status.SUCCESS,
            {"width": 8, "height": 6, "bytes": 4500},
            "x was captured 60 s ago: 8x6, 4 KB. `stillframe get x ",
        ),
        (
            Status.FAILED,
            {"error_code": "TIMEOUT", "error_message": "slow"},
            "x failed 60 s ago: TIMEOUT: slow. `stillframe retry x`",
        ),
        (Status.PROCESSING, {"worker_id": "w-1", "claimed_at": 1_000_000}, "x is being captured by w-1, since 60 s."),
        (Status.QUEUED, {}, "x is waiting on the queue since 60 s."),
        (Status.QUEUED, {"attempts": 2, "error_code": "TIMEOUT"}, "since 60 s, after 2 attempts (TIMEOUT)."),
    ],
)
def test_a_record_is_a_sentence(status: Status, values: dict[str, object], sentence: str) -> None:
    record = Record.model_validate({"id": "x", "status": status, "updated_at": 1_000_000, **values})
    assert sentence in describe_record(record, now=1060.0)


@pytest.mark.parametrize(
    ("done", "total", "seconds", "text"),
    [
        (0, 10, 5.0, ""),
        (5, 10, 2.0, "2.5/s, 2 s left"),
        (10, 10, 2.0, "5.0/s"),
        (1, 100, 60.0, "1.0/min, 99 min left"),
        (100, 100_000, 50.0, "2.0/s, 13 h 52 min left"),
    ],
)
def test_a_pace_has_a_rate_and_the_time_that_is_left(done: int, total: int, seconds: float, text: str) -> None:
    assert describe_pace(done, total, seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (12_000, "3 h 20 min")])
def test_a_duration_is_short(seconds: float, text: str) -> None:
    assert human_seconds(seconds) == text


def test_the_summary_of_a_run_counts_what_people_ask_for() -> None:
    results: list[dict[str, Any]] = [
        {"outcome": "captured", "bytes": 2_000_000, "errorCode": None},
        {"outcome": "failed", "bytes": None, "errorCode": "STATUS_REFUSED"},
    ]
    summary = RunSummary(results, found=3, total=6, seconds=90)
    assert describe(summary, "out") == (
        "6 pages: 1 captured, 1 failed, 3 already in out (--again captures them again), 2 MB in 90 s"
    )
    assert (summary.saved, summary.is_complete, summary.exit_status) == (4, False, 3)
    other = RunSummary([*results, {"outcome": "failed", "bytes": None, "errorCode": "TIMEOUT"}], 0, 3, 1)
    assert (other.is_complete, other.exit_status) == (True, 1)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/123456789012/q", "account 123456789012, region eu-west-1"),
        ("http://127.0.0.1:4566/000000000000/stillframe", "the emulator on 127.0.0.1:4566"),
        ("http://emulator:4566/000000000000/stillframe", "account 000000000000, region emulator:4566"),
    ],
)
def test_a_deployment_has_a_place(url: str, place: str) -> None:
    settings = Settings(queue_url=url, dead_letter_queue_url=url, table_name="t", bucket_name="b")
    assert describe_place(settings) == place
