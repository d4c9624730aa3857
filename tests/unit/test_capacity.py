"""The capacity guide: its model of a worker, its simulated scaling within every documented limit, and its costs."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Generator
from pathlib import Path
from typing import Any

import click
import pytest
import simpy

from stacks.config import DeployConfig
from stacks.presets import PRESETS
from stillframe.table.record import Record, Status
from stillframe_cli.capacity import limits, scaling
from stillframe_cli.capacity.figures import ASSUMED, Figures, from_load_test, from_records
from stillframe_cli.capacity.fleet_size import fleet_size
from stillframe_cli.capacity.lambda_size import lambda_size, visibility_timeout
from stillframe_cli.capacity.load_profile import LoadProfile
from stillframe_cli.capacity.plan import Plan
from stillframe_cli.capacity.presets import TARGETS, preset
from stillframe_cli.capacity.scaling import FleetScaler, Observation, provisioned_mapping, standard_mapping
from stillframe_cli.capacity.target import Target
from stillframe_cli.capacity.timeline import Timeline, simulate
from stillframe_cli.capacity.worker import MEMORY_TARGET, memory_mb, size_worker, throughput

RAMP = LoadProfile.parse("0:0,600:3500,1800:3500,2400:0")


def figures(cpu_ms: float = 200, duration_ms: float = 1000, p99_ms: float = 3000) -> Figures:
    return Figures(cpu_ms, duration_ms, p99_ms, 250_000, "a test")


# -- The model of a worker


@pytest.mark.parametrize(("vcpus", "tabs"), [(1.0, 1), (1.0, 6), (2.0, 4), (2.0, 16), (4.0, 9), (0.5, 3)])
def test_throughput_agrees_with_a_simulation_of_tabs_and_cpus(vcpus: float, tabs: int) -> None:
    # Given tabs that wait and compute, simulated one by one
    given = figures()
    rng = random.Random(1)
    environment = simpy.Environment()
    servers = simpy.Resource(environment, max(1, int(vcpus)))
    done = 0

    def tab() -> Generator[simpy.Event, Any, None]:
        nonlocal done
        while True:
            yield environment.timeout(rng.expovariate(1 / given.waiting_seconds))
            with servers.request() as cpu:
                yield cpu
                yield environment.timeout(rng.expovariate(vcpus / servers.capacity / given.cpu_seconds))
            done += 1

    for _ in range(tabs):
        environment.process(tab())
    environment.run(8000)
    # Then the formula gives the same throughput
    assert throughput(given, vcpus, tabs) == pytest.approx(done / 8000, rel=0.03)


def test_a_worker_gets_as_many_tabs_as_fill_its_cpu_or_fit_its_memory() -> None:
    cpu_bound = size_worker(figures(cpu_ms=900), 1, 4096)
    assert cpu_bound is not None
    assert (cpu_bound.tabs, cpu_bound.binding) == (1, "cpu")
    waiting = size_worker(figures(cpu_ms=50, duration_ms=3000), 2, 2048)
    assert waiting is not None
    assert waiting.binding == "memory"
    assert memory_mb(waiting.tabs) <= 2048 * MEMORY_TARGET < memory_mb(waiting.tabs + 1)
    assert size_worker(figures(), 1, 512) is None


# -- Scaling by the documented rules


def simulated_function(scaler: scaling.MappingScaler, per_worker: float = 3.0) -> Timeline:
    return simulate(RAMP, scaler, per_worker)


@pytest.mark.parametrize(
    ("scaler", "start", "per_minute", "maximum"),
    [
        (standard_mapping(1000, 0), limits.MAPPING_START, limits.MAPPING_PER_MINUTE, limits.ACCOUNT_CONCURRENCY),
        (standard_mapping(1000, 400), limits.MAPPING_START, limits.MAPPING_PER_MINUTE, 400),
        (standard_mapping(50, 1000), limits.MAPPING_START, limits.MAPPING_PER_MINUTE, 50),
        (provisioned_mapping(2, 2000, 5000), 20, limits.PROVISIONED_PER_MINUTE, 5000),
        (provisioned_mapping(20, 100, 0), 200, limits.PROVISIONED_PER_MINUTE, 1000),
        (provisioned_mapping(2, 2000, 0), 20, limits.PROVISIONED_PER_MINUTE, limits.PROVISIONED_MAX),
    ],
)
def test_a_mapping_obeys_its_ramp_and_its_limits(
    scaler: scaling.MappingScaler, start: int, per_minute: int, maximum: int
) -> None:
    # Given a load that rises from nothing to 3,500 a second and falls again
    seconds = simulated_function(scaler).seconds
    workers = [second.workers for second in seconds]
    # Then it starts with the documented number, and never exceeds its maximum
    assert max(workers[:10]) <= start + per_minute * 10 / 60 + 1
    assert max(workers) <= maximum
    # And no minute adds more than documented
    assert max(late - early for early, late in zip(workers, workers[60:], strict=False)) <= per_minute + start + 1
    # And no ten seconds start more environments than Lambda allows a function
    tens = max(late - early for early, late in zip(workers, workers[10:], strict=False))
    assert tens <= limits.ENVIRONMENTS_PER_TEN_SECONDS
    # And it is back at its minimum once nothing waits
    assert seconds[-1].backlog > 1 or workers[-1] <= max(start, scaler.min_workers)


def test_a_mapping_reaches_its_maximum_under_a_lasting_load() -> None:
    # A scaler that never scales would obey every limit.
    for scaler, maximum in ((standard_mapping(900, 900), 900), (provisioned_mapping(2, 2000, 3000), 3000)):
        seconds = simulated_function(scaler, per_worker=1.0).seconds
        assert max(second.workers for second in seconds) == maximum


def test_every_message_is_captured_eventually() -> None:
    timeline = simulated_function(provisioned_mapping(10, 2000, 0))
    arrived = sum(second.arrived for second in timeline.seconds)
    assert sum(second.captured for second in timeline.seconds) == pytest.approx(arrived, rel=1e-6)
    assert arrived == pytest.approx(600 * 3500 / 2 * 2 + 1200 * 3500, rel=0.01)


def fleet_timeline(scaler: FleetScaler) -> Timeline:
    return simulate(LoadProfile.parse("0:0,600:60,3600:60,4200:0"), scaler, 4.0)


def test_a_fleet_obeys_its_bounds_cooldowns_and_datapoints() -> None:
    # Given a fleet under a load that it can handle
    scaler = FleetScaler(3, 20)
    changes: list[tuple[int, int]] = []
    step = FleetScaler.step

    class RecordingScaler(FleetScaler):
        def step(self, observation: Observation) -> int:
            before = self.desired
            running = step(self, observation)
            if self.desired != before:
                changes.append((observation.second, self.desired - before))
            assert 3 <= self.desired <= 20
            return running

    timeline = fleet_timeline(RecordingScaler(3, 20))
    outs = [second for second, change in changes if change > 0]
    ins = [second for second, change in changes if change < 0]
    # Then it grows and shrinks, with the cooldowns in between
    assert outs
    assert ins
    assert min(late - early for early, late in itertools.pairwise(outs)) >= scaling.OUT_COOLDOWN
    assert min(late - early for early, late in itertools.pairwise(ins)) >= scaling.IN_COOLDOWN
    # And it acts only after enough datapoints, and a task counts only once it has started
    assert outs[0] >= scaling.OUT_DATAPOINTS * scaling.METRIC_SECONDS
    assert ins[0] >= scaling.IN_DATAPOINTS * scaling.METRIC_SECONDS
    assert timeline.seconds[outs[0] + scaling.TASK_START_SECONDS - 1].workers == 3
    assert timeline.seconds[-1].workers == scaler.min_tasks


def test_a_nearly_saturated_cpu_adds_half_the_tasks_at_once() -> None:
    scaler = FleetScaler(4, 20)
    for second in range(62):
        scaler.step(Observation(second, 0.0, 0.9))
    assert scaler.desired == 6


# -- What the plan recommends


def test_the_visibility_timeout_is_never_under_six_times_the_functions() -> None:
    assert visibility_timeout(figures(p99_ms=3000), 60) == 360
    assert visibility_timeout(figures(p99_ms=400_000), 60) == 800


@pytest.mark.parametrize("size", list(TARGETS))
def test_the_plan_yields_the_presets_of_the_deployment(size: str) -> None:
    # Given / When the plan for a preset
    context = preset(size).function.to_context()
    # Then it has the values of that preset in the stacks
    planned = {name.removeprefix("stillframe:"): value for name, value in context.items()}
    assert PRESETS[size].items() <= planned.items()
    # And its context is a configuration that a deployment accepts
    assert preset(size).choice == "lambda"
    DeployConfig.from_context(preset(size).context())


@pytest.mark.parametrize("per_hour", [10, 5_000, 200_000, 1_000_000])
@pytest.mark.parametrize("measured", [figures(), figures(900, 1000, 1200), figures(50, 8000, 20_000)])
def test_every_plan_is_a_configuration_that_a_deployment_accepts(per_hour: float, measured: Figures) -> None:
    for choice in ("lambda", "fargate"):
        plan = Plan(Target(per_hour), measured)
        size = plan.function if choice == "lambda" else plan.fleet
        DeployConfig.from_context(size.to_context())


def test_waiting_pages_get_tabs_and_computing_pages_get_workers() -> None:
    waiting, computing = Plan(Target(10_000), figures(50, 3000, 6000)), Plan(Target(10_000), figures(950, 1000, 1500))
    assert waiting.fleet.worker.tabs > 3 * computing.fleet.worker.tabs
    assert "waits for 98%" in waiting.reasons()[1]
    assert "more workers, not more tabs" in computing.reasons()[1]


def test_a_large_computing_load_goes_to_a_fleet_when_that_is_cheaper() -> None:
    # Given a steady load that is dominated by computing
    steady = Plan(Target(300_000, burst=1.2, deadline_seconds=3600), figures(3000, 3600, 9000), spot=True)
    assert steady.choice == "fargate"
    # But a burst that is too fast for a fleet goes to the function
    assert Plan(Target(1000, burst=200, deadline_seconds=20), figures()).choice == "lambda"


def test_the_first_limit_to_be_reached_is_named_with_how_to_raise_it() -> None:
    # Given a million captures an hour
    plan = Plan(Target(1_000_000, burst=2), ASSUMED)
    named = plan.to_wire()["limits"]
    # Then the first limit is the one with the largest share in use, and it says how to raise it
    assert named[0]["share"] == max(limit["share"] for limit in named)
    assert "new on-demand table" in named[0]["limit"]
    assert "warm" in named[0]["raise"]


def test_more_concurrency_than_a_mapping_allows_needs_pollers() -> None:
    size = lambda_size(figures(2000, 8000, 20_000), Target(1_000_000, burst=3), "arm64")
    assert size.needs_pollers
    assert "stillframe:maxConcurrency" not in size.to_context()


def test_prices_name_their_source_and_date() -> None:
    prices = Plan(Target(100), ASSUMED).to_wire()["prices"]
    assert prices == {"asOf": "2026-11", "region": "us-east-1", "source": "list prices of aws.amazon.com, no free tier"}


def test_the_bill_is_the_sum_of_its_parts_and_grows_with_the_load() -> None:
    plans = [Plan(Target(per_hour), ASSUMED).to_wire()["lambda"] for per_hour in (50_000, 500_000)]
    small, large = (plan["usdPerMonth"] for plan in plans)
    assert sum(large.values()) - large["total"] == pytest.approx(large["total"], abs=0.05)
    # Both have the same function, so that compute grows with the load, but less than it, as events become fuller
    assert plans[0]["memoryMb"] == plans[1]["memoryMb"]
    assert 3 * small["compute"] < large["compute"] < 10 * small["compute"]


def test_a_fleet_never_has_fewer_than_three_tasks() -> None:
    assert fleet_size(ASSUMED, Target(1), "arm64").min_tasks == 3


# -- Where the figures come from


def test_figures_are_read_from_the_output_of_a_load_test(tmp_path: Path) -> None:
    path = tmp_path / "load.json"
    path.write_text(
        json.dumps({"cpuMs": 210, "durationMs": {"p10": 400, "p50": 800, "p99": 2100}, "bytes": 1000, "captured": 5})
    )
    assert from_load_test(path) == Figures(210, 400, 2100, 1000, "load test of 5 captures")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cpuMs": 1}'])
def test_a_file_that_is_not_from_a_load_test_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "load.json"
    path.write_text(text)
    with pytest.raises(click.UsageError, match="load-test --out"):
        from_load_test(path)


def test_figures_are_read_from_records() -> None:
    records = [
        Record(id=str(number), status=Status.SUCCESS, cpu_ms=100 + number, duration_ms=500 + number, bytes=10)
        for number in range(100)
    ]
    measured = from_records([*records, Record(id="failed", status=Status.FAILED, cpu_ms=9999, duration_ms=9999)])
    assert (round(measured.cpu_ms), measured.duration_ms, measured.p99_ms) == (150, 549.5, 599)
    assert measured.source == "100 records"
    with pytest.raises(click.UsageError, match="no record"):
        from_records([])


@pytest.mark.parametrize("text", ["", "1", "0:1", "0:1,x:2", "10:1,0:2", "0:1,5:-2"])
def test_an_invalid_profile_is_refused_with_the_expected_form(text: str) -> None:
    with pytest.raises(click.UsageError, match="SECONDS:RATE"):
        LoadProfile.parse(text)


def test_a_profile_is_linear_between_its_points() -> None:
    profile = LoadProfile.parse("0:0,100:50,200:50,200:10")
    assert [profile.rate(at) for at in (0, 50, 100, 150, 201)] == [0, 25, 50, 50, 0]


def test_a_plan_is_sized_for_the_peak_of_its_profile() -> None:
    # Given a profile whose peak is far above the requested average
    target = Target(per_hour=3600, burst=3).with_peak(RAMP.peak)
    # Then the plan is sized for the peak
    assert target.peak_per_second == 3500
    assert Plan(target, figures(), profile=RAMP).function.needs_pollers
    # And a lower peak changes nothing
    assert Target(per_hour=3600, burst=3).with_peak(1).burst == 3
