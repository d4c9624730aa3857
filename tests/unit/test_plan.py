"""What a plan says first, and the figures that it refuses."""

from __future__ import annotations

import math
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from stacks.config import DeployConfig
from stillframe.cost import LAMBDA_USD_PER_GB_SECOND
from stillframe.table.record import Record
from stillframe_cli.capacity.figures import ASSUMED, Figures, from_load_test, from_records
from stillframe_cli.capacity.lambda_size import INITIALISATION_SECONDS
from stillframe_cli.capacity.limits import FARGATE_TASKS_PER_SERVICE
from stillframe_cli.capacity.plan import Plan
from stillframe_cli.capacity.target import Target
from stillframe_cli.capacity.worker import throughput
from stillframe_cli.main import cli


def test_a_plan_begins_with_what_to_choose_and_why() -> None:
    for per_hour in (10, 10_000, 3_000_000):
        plan = Plan(Target(per_hour), Figures(950, 1000, 1500, 300_000, "measured"))
        assert plan.reasons()[0].startswith(f"Use {plan.choice}: ")
        assert "meets the deadline" in plan.reasons()[0] or "meet the deadline" in plan.reasons()[0]


def test_records_and_load_tests_without_a_measured_capture_are_refused(tmp_path: Path) -> None:
    # Given a record of an image that was adopted, which took no CPU time, and a load test without captures
    adopted = Record.model_validate({"id": "x", "status": "success", "cpuMs": 0, "durationMs": 5, "bytes": 10})
    load = tmp_path / "load.json"
    load.write_text('{"cpuMs": 0, "durationMs": {"p10": 1, "p99": 2}, "bytes": 0, "captured": 0}')
    # Then neither is planned with
    with pytest.raises(click.UsageError, match="no record of a successful capture"):
        from_records([adopted])
    with pytest.raises(click.UsageError, match="no CPU time"):
        from_load_test(load)


def test_events_are_as_full_as_it_takes_to_keep_up_with_the_load() -> None:
    # Given loads from one capture in an hour to more than a hundred a second
    functions = [Plan(Target(per_hour), ASSUMED).function for per_hour in (1, 3600, 36_000, 72_000, 400_000)]
    captures = [function.usual_event.batch for function in functions]
    # Then events have one capture while an execution environment is idle, and are full when the mapping adds more
    assert captures[:2] == [1, 1]
    assert 1 < captures[2] < functions[2].batch_size
    assert captures[-1] == functions[-1].batch_size
    assert captures == sorted(captures)
    # And the bill is that of these events
    usual = functions[2].usual_event.usd_per_capture("arm64")
    assert functions[2].usd_per_capture == pytest.approx(usual, rel=1e-6)
    assert usual > 1.5 * functions[2].full_event.usd_per_capture("arm64")


def test_it_says_what_fuller_events_would_save() -> None:
    few, many = (Plan(Target(per_hour), ASSUMED).reasons() for per_hour in (3600, 400_000))
    (advice,) = [reason for reason in few if "batchWindowSeconds" in reason]
    assert advice.startswith("At the average load, an event has about 1 capture, and compute costs 0.0155 USD")
    assert not any("batchWindowSeconds" in reason for reason in many)


def test_the_initialisation_is_billed_where_captures_are_rare() -> None:
    # Given a capture a day and one a second
    rare, frequent = (Plan(Target(per_hour), ASSUMED).function for per_hour in (1 / 24, 3600))
    # Then each of the rare ones pays for the start of an execution environment, and the others do not
    started = rare.worker.memory_mb / 1024 * INITIALISATION_SECONDS * LAMBDA_USD_PER_GB_SECOND["arm64"]
    added = rare.usd_per_capture - rare.usual_event.usd_per_capture("arm64")
    assert added == pytest.approx(started, rel=0.01)
    assert frequent.usd_per_capture == frequent.usual_event.usd_per_capture("arm64")


@pytest.mark.parametrize("option", ["--per-day", "--per-hour", "--burst", "--cpu-ms", "--deadline"])
@pytest.mark.parametrize("number", ["1e400", "nan", "-1"])
def test_a_number_that_is_none_is_refused(option: str, number: str) -> None:
    others = [] if option.startswith("--per") else ["--per-hour", "10"]
    ending = CliRunner().invoke(cli, ["plan", *others, option, number])
    assert (ending.exit_code, f"Invalid value for '{option}'" in ending.output) == (2, True)


@pytest.mark.parametrize("per_hour", ["1e-9", "1e12"])
@pytest.mark.parametrize("others", [[], ["--burst", "1e6"], ["--profile", "0:1e12,10:0"], ["--cpu-ms", "1e12"]])
def test_the_least_and_the_largest_load_have_a_plan(per_hour: str, others: list[str]) -> None:
    ending = CliRunner().invoke(cli, ["plan", "--per-hour", per_hour, *others])
    assert ending.exit_code == 0, ending.output


@pytest.mark.parametrize("option", ["--per-hour=1e-300", "--burst=1e308", "--machine=1e12", "--tabs=100000000"])
def test_a_number_that_no_deployment_has_is_refused(option: str) -> None:
    others = [] if option.startswith("--per-hour") else ["--per-hour", "10"]
    ending = CliRunner().invoke(cli, ["plan", *others, option])
    assert (ending.exit_code, "is not in the range" in ending.output) == (2, True)


@pytest.mark.parametrize("points", ["0:nan,10:1", "nan:1,10:1", "0:1,inf:1", "0:1,10:inf", "0:1,10:1e300", "0:1,1e9:1"])
def test_a_profile_that_cannot_be_simulated_is_refused(points: str) -> None:
    ending = CliRunner().invoke(cli, ["plan", "--per-hour", "10", "--profile", points])
    assert (ending.exit_code, "SECONDS:RATE" in ending.output) == (2, True)


# Durations up to those of captures that take as long as a function may at most
@pytest.mark.parametrize("p99_ms", [1500, 60_000, 400_000, 440_000, 900_000, 1e9])
def test_captures_of_any_duration_have_a_function_that_a_deployment_accepts(p99_ms: float) -> None:
    function = Plan(Target(10), Figures(200, 1000, p99_ms, 250_000, "a test")).function
    DeployConfig.from_context(function.to_context())
    assert function.job_deadline_seconds < function.timeout_seconds


def test_the_function_has_the_time_that_its_events_take() -> None:
    # Given captures that compute for longer than they are said to take, as those of several processes at once may
    function = Plan(Target(10), Figures(60_000, 1000, 1500, 250_000, "a test")).function
    # Then the function's time is enough for an event of them
    assert function.full_event.seconds > 60
    assert function.job_deadline_seconds > function.full_event.seconds


def test_a_fleet_of_any_size_is_one_that_a_deployment_accepts() -> None:
    # Given a load that needs more tasks than a service has
    plan = Plan(Target(1e9), ASSUMED)
    # Then the plan has as many as it may have, and says how many would be needed
    context = plan.fleet.to_context()
    assert DeployConfig.from_context(context).max_tasks == context["stillframe:maxTasks"] == FARGATE_TASKS_PER_SERVICE
    assert plan.fleet.max_tasks > FARGATE_TASKS_PER_SERVICE


@pytest.mark.parametrize("cpu_ms", [1e-9, 1e12])
def test_a_worker_with_the_most_tabs_has_a_throughput(cpu_ms: float) -> None:
    assert 0 < throughput(Figures(cpu_ms, 675, 1500, 250_000, "a test"), 1000, 1000) < math.inf


def test_one_tab_is_one_tab() -> None:
    plan = Plan(Target(10), Figures(2000, 1000, 1500, 250_000, "a test"))
    assert plan.function.worker.tabs == 1
    assert "With 1 tab, " in plan.reasons()[1]
