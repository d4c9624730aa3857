"""The commands `load-test`, `monitor` and `scale`, with real consumers on the emulator."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from textual.widgets import Label

from stillframe.clients import connect_cloudwatch
from stillframe.request.capture_request import CaptureRequest
from stillframe_cli.backlog import message_counts
from stillframe_cli.compute_metrics import ComputeFigures, ComputeMetrics
from stillframe_cli.emulator import Emulator
from stillframe_cli.load.profile import CURVES, due_times
from stillframe_cli.metrics import ServiceMetrics
from stillframe_cli.monitor_screen import MonitorScreen
from stillframe_cli.status_snapshot import SnapshotReader, StatusSnapshot
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud
from tests.support.workers import Fleet, environment, fleet, wait_for

ROOT = Path(__file__).parents[2]
PUBLISHING = {"STILLFRAME_PUBLISH_METRICS": "true"}


def stillframe(exports: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stillframe_cli", *arguments],
        cwd=ROOT,
        env=environment(exports),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def consumers(make_cloud: MakeCloud, tmp_path: Path, chromium: str) -> Iterator[tuple[Cloud, Fleet]]:
    """Three running consumers that publish metrics."""
    cloud = make_cloud(**PUBLISHING)
    with fleet(tmp_path) as workers:
        for _ in range(3):
            workers.start(cloud.exports, "--continuous", "--tabs", "2")
        # Before they are ready, SIGTERM would kill them instead of draining them.
        wait_for(lambda: all(worker.is_ready for worker in workers.workers), what="three consumers")
        yield cloud, workers


def test_every_message_is_captured_and_the_figures_agree(consumers: tuple[Cloud, Fleet], tmp_path: Path) -> None:
    # Given three consumers
    cloud, workers = consumers
    out, plot = tmp_path / "load.json", tmp_path / "load.svg"
    # When forty messages are sent by forty senders at once
    run = stillframe(
        cloud.exports, "load-test", "40", "--concurrency", "40", "--out", str(out), "--plot", str(plot), "--json"
    )
    # Then each message has its image, and the figures agree
    assert run.returncode == 0, run.stderr
    figures = json.loads(run.stdout)
    assert (figures["captured"], figures["skipped"], figures["failed"], figures["unfinished"]) == (40, 0, 0, 0)
    assert sum(figures["workers"].values()) == 40
    assert 0 < figures["latencyMs"]["p50"] <= figures["latencyMs"]["p99"]
    assert figures["cpuMs"] > 10
    assert figures["estimatedUsd"]["arm64"] < figures["estimatedUsd"]["x86"]
    assert json.loads(out.read_text()) == figures
    assert "<svg" in plot.read_text()
    assert "[40/40]" in run.stderr
    assert cloud.audit().is_clean
    assert [error for worker in workers.workers for error in worker.errors()] == []
    # And `plan` accepts the figures
    plan = stillframe({}, "plan", "--per-hour", "1000", "--from", str(out), "--json", "--machine", "2", "--tabs", "6")
    assert json.loads(plan.stdout)["figures"]["source"] == "load test of 40 captures"


def test_duplicates_give_one_image_and_the_rest_are_skipped(consumers: tuple[Cloud, Fleet]) -> None:
    # Given three consumers, and fifty messages with one id
    cloud, workers = consumers
    run = stillframe(cloud.exports, "load-test", "50", "--duplicates", "--concurrency", "50", "--json")
    # Then one is captured, and each of the others has a reason
    figures = json.loads(run.stdout)
    assert (run.returncode, figures["captured"], figures["skipped"]) == (0, 1, 49)
    reasons = figures["outcomes"]["skipped"]
    assert sum(reasons.values()) == 49
    assert set(reasons) <= {"already_success", "already_processing", "race_condition_prevented"}
    # And no consumer logged an error
    assert [error for worker in workers.workers for error in worker.errors()] == []
    assert len(cloud.versions()) == 1


def test_a_failed_page_is_counted_and_sets_the_exit_status(consumers: tuple[Cloud, Fleet]) -> None:
    cloud, _ = consumers
    run = stillframe(cloud.exports, "load-test", "2", "--url", "http://nowhere.invalid/", "--json")
    figures = json.loads(run.stdout)
    assert (run.returncode, figures["failed"]) == (1, 2)
    assert figures["outcomes"]["failed"] == {"UNKNOWN_HOST": 2}


def test_without_workers_the_load_test_ends_and_reports_what_is_left(make_cloud: MakeCloud) -> None:
    cloud = make_cloud()
    run = stillframe(cloud.exports, "load-test", "3", "--timeout", "1", "--json")
    figures = json.loads(run.stdout)
    assert (run.returncode, figures["captured"], figures["leftOnQueue"], figures["unfinished"]) == (1, 0, 3, 3)


@pytest.mark.parametrize("profile", list(CURVES))
def test_a_profile_sends_everything_in_order_and_on_time(profile: str) -> None:
    times = list(due_times(profile, 500, 60))
    assert len(times) == 500
    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] <= 60


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
    from dataclasses import replace

    return replace(snapshot, **changes)


def test_without_a_terminal_the_monitor_says_what_to_do_instead(cloud: Cloud) -> None:
    run = stillframe(cloud.exports, "monitor")
    assert run.returncode == 2
    assert "--once --json" in run.stderr


def test_scale_shows_previews_and_changes_the_concurrency(function: tuple[Emulator, str]) -> None:
    # Given a function with a maximum concurrency of 10 and a reserved concurrency of 100
    emulator, name = function

    def scale(*arguments: str) -> subprocess.CompletedProcess[str]:
        return stillframe(emulator.exports, "scale", "--function", name, *arguments)

    def shown() -> dict[str, Any]:
        settings: dict[str, Any] = json.loads(scale("--json").stdout)
        return settings

    assert (shown()["maxConcurrency"], shown()["reservedConcurrency"]) == (10, 100)
    # When a change is a dry run or is not confirmed, then nothing changes
    dry = json.loads(scale("--max-concurrency", "50", "--dry-run", "--json").stdout)
    assert dry == {"changed": False, "changes": [{"setting": "maxConcurrency", "before": 10, "after": 50}]}
    assert scale("--max-concurrency", "50").returncode == 1
    assert shown()["maxConcurrency"] == 10
    # When it is confirmed, then the setting changes
    assert scale("--max-concurrency", "50", "--yes").returncode == 0
    assert shown()["maxConcurrency"] == 50
    # And a change that would cause throttling is refused, with what to do instead
    refused = scale("--max-concurrency", "200", "--yes")
    assert (refused.returncode, "--reserved-concurrency 200" in refused.stderr) == (2, True)
    assert scale("--max-concurrency", "200", "--reserved-concurrency", "200", "--yes").returncode == 0
    assert (shown()["maxConcurrency"], shown()["reservedConcurrency"]) == (200, 200)
    # And the event source can be paused and resumed
    assert scale("--pause", "--yes").returncode == 0
    wait_for(lambda: shown()["state"] in ("Disabled", "Disabling"), what="the pause")
    assert scale("--resume", "--yes").returncode == 0
    wait_for(lambda: shown()["state"] in ("Enabled", "Enabling"), what="the resumption")


def test_scale_reset_goes_back_to_the_deployed_concurrency(function: tuple[Emulator, str]) -> None:
    # Given a stack that records what was deployed, and a function that was changed and paused since
    emulator, name = function
    create_stack_with_outputs(FunctionName=name, MaxConcurrency="7", ReservedConcurrency="0")

    def scale(*arguments: str) -> subprocess.CompletedProcess[str]:
        return stillframe(emulator.exports, "scale", "--stack", "Stillframe", *arguments)

    assert scale("--max-concurrency", "50", "--pause", "--yes").returncode == 0
    # When it is reset
    run = scale("--reset", "--yes")
    assert run.returncode == 0, run.stderr
    # Then its concurrency and its reservation are the deployed ones, and it receives again
    settings = json.loads(scale("--json").stdout)
    assert (settings["maxConcurrency"], settings["reservedConcurrency"]) == (7, None)
    wait_for(lambda: json.loads(scale("--json").stdout)["state"] in ("Enabled", "Enabling"), what="the resumption")
    # And a reset goes with no other change
    assert "without other changes" in scale("--reset", "--max-concurrency", "9").stderr


def create_stack_with_outputs(**outputs: str) -> None:
    """Create a stack that has these outputs, and nothing that matters."""
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    aws: Any = boto3
    aws.client("cloudformation").create_stack(StackName="Stillframe", TemplateBody=json.dumps(template))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pause", "--resume"], "either --pause or --resume"),
        (["--max-concurrency", "1"], "2 to 1000"),
        (["--tasks", "4"], "has no fleet"),
    ],
)
def test_a_setting_that_cannot_be_changed_is_refused_with_the_reason(
    function: tuple[Emulator, str], arguments: list[str], words: str
) -> None:
    emulator, name = function
    run = stillframe(emulator.exports, "scale", "--function", name, *arguments)
    assert run.returncode == 2
    assert words in run.stderr


def test_a_missing_stack_is_a_one_line_error(function: tuple[Emulator, str]) -> None:
    run = stillframe(function[0].exports, "scale", "--stack", "Nowhere")
    assert run.returncode == 2
    assert run.stderr.startswith("stillframe: --stack Nowhere")
