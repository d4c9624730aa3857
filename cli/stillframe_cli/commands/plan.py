"""`plan`: work out the size and cost of a deployment for a load."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ..capacity.figures import ASSUMED, Figures, from_load_test, from_records
from ..capacity.load_profile import FORMAT, LoadProfile
from ..capacity.plan import Plan
from ..capacity.plot import draw_plan, minute_rows
from ..capacity.presets import TARGETS
from ..capacity.target import HOURS_PER_DAY, Target
from ..capacity.worker import throughput
from ..console import json_option, print_json, print_note, print_table
from ..counted import counted
from ..files import OutputPath, PlotPath, write_file
from ..input.finite import FiniteRange
from ..resources import STACK_VARIABLE

MAX_RECORDS = 5000
# Names of the costs for people, in the order of the table.
COST_LABELS = {
    "compute": "compute",
    "queueTableBucketLogs": "queue, table, bucket, logs",
    "storage": "stored images and records, once the first expire",
    "monitoring": "alarms, dashboard, metrics",
    "total": "total",
}
SHOWN_LIMITS = 4
FILE = click.Path(dir_okay=False, path_type=Path)
# So that nothing that follows from a load is infinite.
POSITIVE = FiniteRange(1e-9, 1e12)
MAX_BURST = 1e6
MAX_TABS, MAX_CPUS = 1000, 1000


@click.command("plan")
@click.option("--per-hour", type=POSITIVE, metavar="N", help="Average number of captures per hour.")
@click.option("--per-day", type=POSITIVE, metavar="N", help="Average number of captures per day.")
@click.option("--preset", type=click.Choice(list(TARGETS)), help="Plan for the load of this preset of the deployment.")
@click.option(
    "--burst",
    type=FiniteRange(1, MAX_BURST),
    metavar="FACTOR",
    help="How many times the average the peak is.  [default: 3]",
)
@click.option(
    "--deadline",
    type=POSITIVE,
    metavar="SECONDS",
    help="Time from sent to stored that a capture may take at the peak.  [default: 300]",
)
@click.option("--from", "load_test", type=FILE, metavar="FILE", help="Use the figures that `load-test --out` wrote.")
@click.option("--from-records", is_flag=True, help="Use the figures of the records of a deployment.")
@click.option(
    "--stack",
    metavar="STACK",
    envvar=STACK_VARIABLE,
    help=f"With --from-records: use the table of this CloudFormation stack.  [env var: {STACK_VARIABLE}]",
)
@click.option("--cpu-ms", type=POSITIVE, metavar="MS", help="CPU time of a capture, instead of the measured one.")
@click.option("--duration-ms", type=POSITIVE, metavar="MS", help="Duration of a capture on an idle worker.")
@click.option("--p99-ms", type=POSITIVE, metavar="MS", help="99th percentile of the duration under load.")
@click.option("--bytes", "size", type=POSITIVE, metavar="N", help="Average image size in bytes.")
@click.option(
    "--architecture",
    type=click.Choice(["arm64", "x86"]),
    default="arm64",
    show_default=True,
    help="Processor architecture of the workers.",
)
@click.option("--spot", is_flag=True, help="Run the fleet on interruptible capacity (Fargate Spot).")
@click.option("--profile", metavar="POINTS", help=f"Load to simulate: {FORMAT}.  [default: a peak of 20 minutes]")
@click.option(
    "--machine",
    type=FiniteRange(1e-9, MAX_CPUS),
    metavar="CPUS",
    help="Estimate also the captures per second of consumers on one machine with this many CPUs.",
)
@click.option(
    "--tabs",
    type=click.IntRange(1, MAX_TABS),
    metavar="N",
    default=12,
    show_default=True,
    help="With --machine: total number of tabs of its consumers.",
)
@click.option("--table", is_flag=True, help="Print the simulated load minute by minute.")
@click.option(
    "--write",
    type=OutputPath(),
    metavar="FILE",
    help="Write the values to environments/NAME.toml, or to a .json file for CDK.",
)
@click.option("--plot", type=PlotPath(), metavar="FILE", help="Draw the simulated load to this .svg or .png file.")
@json_option
def command(
    per_hour: float | None,
    per_day: float | None,
    preset: str | None,
    burst: float | None,
    deadline: float | None,
    load_test: Path | None,
    from_records: bool,
    stack: str | None,
    cpu_ms: float | None,
    duration_ms: float | None,
    p99_ms: float | None,
    size: float | None,
    architecture: str,
    spot: bool,
    profile: str | None,
    machine: float | None,
    tabs: int,
    table: bool,
    write: Path | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Work out the size and cost of a deployment for a load.

    Give the load with --per-hour, --per-day or --preset. The plan compares a Lambda function with a Fargate fleet:
    tabs, memory, number of workers, timeouts, waiting time at the peak, limits of AWS, and cost per month. It uses the
    figures of a load test (--from) or of a deployment (--from-records), and otherwise assumes typical ones.

    \b
    Examples:
      stillframe plan --per-day 1000000 --burst 4 --write environments/prod.toml
      stillframe plan --per-hour 5000 --from load.json --plot plan.svg
    """
    load = LoadProfile.parse(profile) if profile else None
    target = _build_target(per_hour, per_day, preset, burst, deadline)
    plan = Plan(
        # The deployment must be large enough for the peak that is simulated.
        target=target.with_peak(load.peak) if load else target,
        figures=_read_figures(load_test, from_records, stack, cpu_ms, duration_ms, p99_ms, size),
        architecture=architecture,
        spot=spot,
        profile=load,
    )
    figures = plan.to_wire()
    if machine is not None:
        figures["machine"] = {"capturesPerSecond": round(_machine_throughput(plan.figures, machine, tabs), 2)}
    timeline = plan.function_timeline if plan.choice == "lambda" else plan.fleet_timeline
    if table and as_json:
        figures["timeline"] = timeline.by_minute()
    if write is not None:
        is_toml = write.suffix == ".toml"
        text = _as_toml(plan.context()) if is_toml else json.dumps({"context": plan.context()}, indent=1)
        write_file(write, text + "\n")
        print_note(f"values: {write}")
    if plot is not None:
        draw_plan(plot, plan)
        print_note(f"plot: {plot}")
    if as_json:
        print_json(figures)
        return
    _print_plan(figures)
    if table:
        columns = ("MINUTE", "ARRIVED", "CAPTURED", "WAITING", "WORKERS", "LONGEST WAIT, S")
        print_table(columns, minute_rows(timeline))


def _build_target(
    per_hour: float | None, per_day: float | None, preset: str | None, burst: float | None, deadline: float | None
) -> Target:
    given = [value for value in (per_hour, per_day, preset) if value is not None]
    if len(given) != 1:
        raise click.UsageError("Give the load with exactly one of --per-hour, --per-day and --preset.")
    target = TARGETS[preset] if preset else Target(per_hour if per_hour is not None else (per_day or 0) / HOURS_PER_DAY)
    changes = {"burst": burst, "deadline_seconds": deadline}
    return replace(target, **{name: value for name, value in changes.items() if value is not None})


def _read_figures(
    load_test: Path | None,
    is_from_records: bool,
    stack: str | None,
    cpu_ms: float | None,
    duration_ms: float | None,
    p99_ms: float | None,
    size: float | None,
) -> Figures:
    figures = ASSUMED
    if load_test is not None:
        figures = from_load_test(load_test)
    elif is_from_records:
        figures = _read_deployment(stack)
    given = {"cpu_ms": cpu_ms, "duration_ms": duration_ms, "p99_ms": p99_ms, "bytes": size}
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if chosen:
        figures = replace(figures, **chosen, source=f"given ({', '.join(chosen)}), otherwise {figures.source}")
    if figures.p99_ms < figures.duration_ms:
        raise click.UsageError("--p99-ms must not be below --duration-ms.")
    return figures


def _read_deployment(stack: str | None) -> Figures:
    from stillframe.archive import Archive
    from stillframe.clients import Clients

    from ..resources import find_settings

    archive = Archive(Clients.connect(), find_settings(stack, {}))
    return from_records(itertools.islice(archive.all_records(), MAX_RECORDS))


def _machine_throughput(figures: Figures, cpus: float, tabs: int) -> float:
    """Return the captures per second of consumers on one machine.

    Uses the CPU time of the whole machine, the emulator's included, when a load test measured it.
    """
    return throughput(replace(figures, cpu_ms=figures.machine_cpu_ms or figures.cpu_ms), cpus, tabs)


def _print_plan(figures: dict[str, Any]) -> None:
    for reason in figures["reasons"]:
        print(f"- {reason}")
    print()
    function, fleet = figures["lambda"], figures["fargate"]
    names = sorted({*function, *fleet} - {"usdPerMonth"})
    rows = [(name, _shown(function.get(name)), fleet.get(name)) for name in names]
    rows += [
        (f"USD per month: {label}", function["usdPerMonth"][name], fleet["usdPerMonth"][name])
        for name, label in COST_LABELS.items()
    ]
    print_table(("FIGURE", "LAMBDA", "FARGATE"), rows)
    print()
    print_table(
        ("AWS LIMIT", "NEEDED", "QUOTA", "SHARE"),
        [
            (each["limit"], each["needed"], each["quota"], f"{each['share']:.1%}")
            for each in figures["limits"][:SHOWN_LIMITS]
        ],
    )
    _print_assumptions(figures)
    print("\nTo deploy it, put these values into environments/NAME.toml, and run `make deploy ENV=NAME`:\n")
    print(_as_toml(figures["context"]))


def _shown(value: Any) -> Any:
    """A cell of the table. An event of the function is shown by its captures, their speed and their price."""
    if not isinstance(value, dict):
        return value
    captures = counted(value["captures"], "capture")
    return f"{captures}, {value['capturesPerSecond']} per second, {value['usdPerThousand']} USD per thousand"


def _as_toml(context: Mapping[str, Any]) -> str:
    """Context values as lines of an environment's file. JSON's texts and numbers are TOML's as well."""
    return "\n".join(f"{name.rpartition(':')[2]} = {json.dumps(value)}" for name, value in context.items())


def _print_assumptions(figures: dict[str, Any]) -> None:
    capture, prices = figures["figures"], figures["prices"]
    print(
        f"\nFigures per capture: {capture['cpuMs']} ms of CPU, {capture['durationMs']} ms in total, "
        f"p99 {capture['p99Ms']} ms, {capture['bytes']} bytes ({capture['source']})"
    )
    print(
        "Data transfer, if every image is fetched once from outside of AWS: "
        f"{figures['dataOutUsdPerMonth']} USD per month more"
    )
    print(f"Prices: {prices['source']}, {prices['region']}, {prices['asOf']}")
    if "machine" in figures:
        print(f"One machine: {figures['machine']['capturesPerSecond']} captures per second")
