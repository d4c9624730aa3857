"""`monitor`: its figures, and the screen that shows them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from textual.widgets import DataTable, Label, Sparkline

from stillframe.clients import connect_cloudwatch
from stillframe.clock import SystemClock
from stillframe.request.capture_request import CaptureRequest
from stillframe.tenants.key_store import KeyStore
from stillframe.tenants.limits import Limits
from stillframe.tenants.usage import UsageBook
from stillframe_cli.backlog import message_counts
from stillframe_cli.compute_metrics import ComputeFigures, ComputeMetrics
from stillframe_cli.metrics import ServiceMetrics
from stillframe_cli.monitor_screen import MonitorScreen
from stillframe_cli.status_snapshot import SnapshotReader, StatusSnapshot
from tests.support.cloud import Cloud
from tests.support.workers import Fleet, stillframe, wait_for


def test_the_monitor_agrees_with_the_queue(consumers: tuple[Cloud, Fleet]) -> None:
    # Given captured and skipped messages, and then messages without a consumer
    cloud, workers = consumers
    stillframe(cloud.exports, "load-test", "10", "--duplicates", "--json")
    assert workers.stop() == [0, 0, 0]
    cloud.send(*(CaptureRequest(url=f"https://example.com/{number}", request_id=str(number)) for number in range(7)))
    assert len(cloud.receive(2)) == 2
    # When a status snapshot is printed
    run = stillframe(cloud.exports, "monitor", "--once", "--json", "--window", "300")
    snapshot = json.loads(run.stdout)
    # Then it agrees with the queue, and with the metrics of the workers
    depth, in_flight, delayed = message_counts(cloud.clients, cloud.settings.queue_url)
    assert (
        (snapshot["queueDepth"], snapshot["inFlight"], snapshot["delayed"]) == (depth, in_flight, delayed) == (5, 2, 0)
    )
    assert (snapshot["queued"], snapshot["processing"], snapshot["workers"], snapshot["deadLetters"]) == (7, 0, [], 0)
    assert snapshot["oldestSeconds"] < 60
    assert (snapshot["outcomes"]["captured"], sum(snapshot["skipped"].values())) == (1, 9)
    assert snapshot["p50Ms"] > 0
    assert snapshot["costUsd"] > 0


def test_the_monitor_counts_idle_workers_and_takes_the_rate_from_their_start(consumers: tuple[Cloud, Fleet]) -> None:
    # Given three consumers that have just started, and wait for messages
    cloud, workers = consumers

    def snapshot() -> dict[str, Any]:
        run = stillframe(cloud.exports, "monitor", "--once", "--json", "--window", "600")
        return dict(json.loads(run.stdout))

    # Then all of them are counted as idle, soon
    wait_for(lambda: snapshot()["idleWorkers"] == 3, what="three idle workers")
    # When they have captured something, then the rate covers the time since they started, and not the whole window
    assert stillframe(cloud.exports, "load-test", "6", "--json").returncode == 0
    wait_for(lambda: snapshot()["outcomes"].get("captured") == 6, what="the metrics of six captures")
    seen = snapshot()
    assert seen["rateSeconds"] < 200
    assert seen["capturesPerSecond"] == pytest.approx(seen["outcomes"]["captured"] / seen["rateSeconds"], abs=0.01)
    # When they end, then they are no longer counted
    workers.stop()
    wait_for(lambda: snapshot()["tasksRunning"] == 0, what="no worker")


class Metrics:
    """CloudWatch with one value for each metric, as a minute has it. `asked` are the metrics that were read."""

    def __init__(self, **values: float) -> None:
        self._values = values
        self.asked: list[str] = []

    def get_paginator(self, name: str) -> Metrics:
        assert name == "get_metric_data"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        names = {each["Id"]: each["MetricStat"]["Metric"]["MetricName"] for each in request["MetricDataQueries"]}
        self.asked += names.values()
        at = [request["StartTime"]]
        yield {
            "MetricDataResults": [
                {"Id": id_, "Timestamps": at, "Values": [self._values[name]]}
                for id_, name in names.items()
                if name in self._values
            ]
        }


@pytest.mark.parametrize(
    ("outputs", "asked", "figures"),
    [
        ({"FunctionName": "f"}, ["ConcurrentExecutions"], ComputeFigures(concurrency=7)),
        (
            {"ClusterName": "c", "ServiceName": "s"},
            ["RunningTaskCount", "DesiredTaskCount"],
            ComputeFigures(running=3, desired=4),
        ),
        ({}, [], ComputeFigures()),
    ],
)
def test_the_monitor_reads_what_the_stack_has(
    outputs: dict[str, str], asked: list[str], figures: ComputeFigures
) -> None:
    client: Any = Metrics(ConcurrentExecutions=7.0, RunningTaskCount=3.0, DesiredTaskCount=4.0)
    assert ComputeMetrics(client, outputs, is_emulated=False).read(0, 60) == figures
    assert client.asked == asked


def test_the_screen_fits_sixty_columns(cloud: Cloud) -> None:
    # Given a status snapshot with every figure
    snapshot = SnapshotReader(cloud.clients, cloud.settings, ServiceMetrics(connect_cloudwatch(), True)).read(60)
    counted = _with(snapshot, idle_workers=2, tasks_running=3, tasks_desired=20, concurrency=1000, queue_depth=1234567)

    async def measure(columns: int) -> tuple[int, int, list[str]]:
        screen = MonitorScreen(lambda: counted, 60, "a queue")
        async with screen.run_test(size=(columns, 40)) as pilot:
            await pilot.pause(0.5)
            figures = list(screen.query(".figure"))
            cut = [
                str(label.render())
                for label in screen.query(".value, .figure > .name").results(Label)
                if len(str(label.render())) > label.content_region.width
            ]
            return max(each.region.right for each in figures), len({each.region.y for each in figures}), cut

    # When it is shown on terminals of different widths, then no figure is cut or outside
    for columns, rows in ((60, 5), (120, 3)):
        right, lines, cut = asyncio.run(measure(columns))
        assert (right <= columns, lines, cut) == (True, rows, [])


def test_a_line_begins_at_zero(cloud: Cloud) -> None:
    # Given a queue that has been of the same depth for ever
    snapshot = SnapshotReader(cloud.clients, cloud.settings, ServiceMetrics(connect_cloudwatch(), True)).read(60)

    async def read() -> list[float]:
        screen = MonitorScreen(lambda: _with(snapshot, queue_depth=7), 60, "a queue")
        async with screen.run_test(size=(120, 34)) as pilot:
            await pilot.pause(0.5)
            return [float(value) for value in screen.query_one("#depths", Sparkline).data or ()]

    # When it is shown for the first time, then the line is not a full box
    values = asyncio.run(read())
    assert (min(values), values[-1]) == (0, 7)


def test_the_screen_shows_the_snapshot(cloud: Cloud) -> None:
    # Given a status snapshot with dead letters
    snapshot = SnapshotReader(cloud.clients, cloud.settings, ServiceMetrics(connect_cloudwatch(), True)).read(60)
    shown: dict[str, str] = {}

    async def read_screen() -> None:
        screen = MonitorScreen(lambda: _with(snapshot, dead_letters=3, queue_depth=1234), 60, "a queue")
        async with screen.run_test(size=(120, 34)) as pilot:
            await pilot.pause(0.5)
            for key in ("depth", "dead", "oldest"):
                label = screen.query_one(f"#{key}")
                shown[key] = str(label.render())
                shown[f"{key} is bad"] = str(label.has_class("bad"))
            await pilot.press("p")
            await pilot.press("q")

    # When the screen shows it
    asyncio.run(read_screen())
    # Then the numbers are there, and the bad one is marked
    assert (shown["depth"], shown["dead"], shown["dead is bad"], shown["oldest is bad"]) == (
        "1,234", "3", "True", "False",
    )  # fmt: skip


def _with(snapshot: StatusSnapshot, **changes: Any) -> StatusSnapshot:
    return replace(snapshot, **changes)


def test_without_a_terminal_the_monitor_says_what_to_do_instead(cloud: Cloud) -> None:
    run = stillframe(cloud.exports, "monitor")
    assert run.returncode == 2
    assert "--once --json" in run.stderr


def test_the_monitor_shows_what_tenants_have_used(cloud: Cloud) -> None:
    # Given two tenants with keys, one of which has captured more
    for tenant, captures in (("acme", 2), ("zeta", 30)):
        KeyStore(cloud.clients, cloud.settings).create(tenant, Limits())
        UsageBook(cloud.table, SystemClock()).add(tenant, captures, captures * 0.25)
    # When a status snapshot is read
    snapshot = SnapshotReader(cloud.clients, cloud.settings, ServiceMetrics(connect_cloudwatch(), True)).read(60)
    # Then both are there, the one with the higher cost first
    assert [(each["tenant"], each["captures"], each["usd"]) for each in snapshot.tenants] == [
        ("zeta", 30, 7.5),
        ("acme", 2, 0.5),
    ]

    # And so they are without a terminal
    told = stillframe(cloud.exports, "monitor", "--once")
    assert "zeta: 30 captures, 7.50 USD this month, acme: 2 captures, 0.50 USD this month" in told.stdout

    async def rows_of(shown: StatusSnapshot) -> int:
        screen = MonitorScreen(lambda: shown, 60, "a queue")
        async with screen.run_test(size=(120, 34)) as pilot:
            await pilot.pause(0.5)
            table: DataTable[str] = screen.query_one("#tenants", DataTable)
            return table.row_count if table.display else -1

    # And the screen shows them, and no empty table where there are none
    assert asyncio.run(rows_of(snapshot)) == 2
    assert asyncio.run(rows_of(_with(snapshot, tenants=[]))) == -1
