"""What a capture writes to the table and to the log: as much as the cost model of `stillframe plan` counts."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Status
from stillframe_cli.capacity import prices
from stillframe_cli.site_server import DEMO_SITE, serve_directory
from tests.conftest import MakeCloud
from tests.support.workers import Fleet

PAGES = ("article", "dashboard", "languages", "tall")
TURNS = 3
# Of one invocation with five captures: its START, END and REPORT lines.
LAMBDA_BYTES = 310 / 5
# How far the figures of the model may be from what is measured here.
TOLERANCE = 0.15


@pytest.fixture
def demo_site() -> Iterator[str]:
    with serve_directory(DEMO_SITE) as host:
        yield host


def test_a_capture_writes_what_the_plan_counts(
    make_cloud: MakeCloud, workers: Fleet, demo_site: str, chromium: str, tmp_path: Path
) -> None:
    # Given requests for the bundled pages
    cloud = make_cloud(STILLFRAME_ALLOW_HOSTS=demo_site, STILLFRAME_TABS="2")
    requests = [
        CaptureRequest(url=f"http://{demo_site}/{page}.html?order=2026-11-26&n={turn}", request_id=f"{page}-{turn}")
        for page in PAGES
        for turn in range(TURNS)
    ]
    cloud.send(*requests)

    def items() -> list[dict[str, Any]]:
        found = cloud.clients.dynamodb.scan(TableName=cloud.settings.table_name)["Items"]
        return [dict(each) for each in found]

    sizes: dict[str, list[int]] = {"queued": [item_bytes(each) for each in items()]}
    # When a worker captures them, and each state of the records is looked at
    worker = workers.start(cloud.exports)
    give_up_at = time.monotonic() + 60
    while (seen := items()) and {each["status"]["S"] for each in seen} != {Status.SUCCESS}:
        assert time.monotonic() < give_up_at
        for each in seen:
            sizes.setdefault(each["status"]["S"], []).append(item_bytes(each))
    sizes[Status.SUCCESS] = [item_bytes(each) for each in seen]
    worker.end()
    # Then records and log lines are as large as the model has it
    means = {state: sum(values) / len(values) for state, values in sizes.items()}
    assert means[Status.QUEUED] == pytest.approx(prices.QUEUED_BYTES, rel=TOLERANCE)
    assert means[Status.PROCESSING] == pytest.approx(prices.CLAIMED_BYTES, rel=TOLERANCE)
    assert means[Status.SUCCESS] == pytest.approx(prices.RECORD_BYTES, rel=TOLERANCE)
    assert log_bytes(tmp_path) / len(requests) + LAMBDA_BYTES == pytest.approx(prices.LOG_BYTES, rel=TOLERANCE)


def item_bytes(item: Mapping[str, Any]) -> int:
    """The size of an item ("DynamoDB item sizes and formats"): its names, and its values."""
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return math.ceil(len(content.strip("-0").replace(".", "")) / 2) + 1
    if kind == "M":
        return 3 + sum(len(name.encode()) + value_bytes(each) + 1 for name, each in content.items())
    if kind == "L":
        return 3 + sum(value_bytes(each) + 1 for each in content)
    return 1


def log_bytes(folder: Path) -> int:
    """The bytes of the lines about captures and of their metrics."""
    lines = [line for log in folder.iterdir() for line in log.read_bytes().splitlines()]
    return sum(len(line) for line in lines if b'"_aws"' in line or b'"message":"capture"' in line)
