"""The commands `load-test`, `monitor` and `scale`, with real consumers on the emulator."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest

from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Status
from stillframe_cli.emulator import Emulator
from stillframe_cli.load.profile import CURVES, due_times
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud
from tests.support.workers import Fleet, stillframe, wait_for


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


def test_equal_requests_of_one_window_are_captured_once_by_real_consumers(
    consumers: tuple[Cloud, Fleet], tmp_path: Path
) -> None:
    # Given messages without an id on the queue, and a producer that sends the same request twice
    cloud, _ = consumers
    before = len(cloud.versions())
    request = CaptureRequest(url="https://example.com/", options={"html": "<h1>fresh</h1>"}, fresh_for=31_536_000)
    for _ in range(20):
        cloud.clients.sqs.send_message(QueueUrl=cloud.settings.queue_url, MessageBody=request.to_body())
    lines = tmp_path / "lines.jsonl"
    lines.write_text(f"{request.to_body()}\n")
    ids = {stillframe(cloud.exports, "send", "--file", str(lines)).stdout.strip() for _ in range(2)}
    # When the consumers have worked
    (screenshot_id,) = ids
    wait_for(lambda: cloud.record(screenshot_id).status is Status.SUCCESS, 60)
    wait_for(lambda: cloud.audit().is_clean, 60)
    # Then there is one image
    assert len(cloud.versions()) == before + 1
