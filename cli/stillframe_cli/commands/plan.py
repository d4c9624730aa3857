"""`plan`: the capacity guide."""

from __future__ import annotations

import itertools
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ..capacity.figures import ASSUMED, Figures, from_load_test, from_records
from ..capacity.load_profile import SHAPE, LoadProfile
from ..capacity.plan import Plan
from ..capacity.plot import draw_plan, table_of
from ..capacity.presets import TARGETS
from ..capacity.target import HOURS_A_DAY, Target
from ..capacity.worker import throughput
from ..console import json_option, note, print_json, print_table

MOST_RECORDS = 5000
RESOURCES = ("stack", "queue_url", "dead_letter_queue_url", "table_name", "bucket_name")


MONEY = {
    "compute": "compute",
    "queueTableBucketLogs": "queue, table, bucket, logs",
    "storage": "images and records kept, once the first expire",
    "total": "all",
}
FILE = click.Path(dir_okay=False, path_type=Path)
POSITIVE = click.FloatRange(0, min_open=True)


@click.command("plan")
@click.option("--per-hour", type=POSITIVE, metavar="N", help="Captures an hour, on average.")
@click.option("--per-day", type=POSITIVE, metavar="N", help="Captures a day, on average.")
@click.option("--preset", type=click.Choice(list(TARGETS)), help="The load that a preset of the deployment is for.")
@click.option(
    "--burst", type=click.FloatRange(1), metavar="FACTOR", help="The peak, in times the average. [default: 3]"
)
@click.option("--deadline", type=POSITIVE, metavar="SECONDS", help="From send to stored, at the peak. [default: 300]")
@click.option("--from", "load_test", type=FILE, metavar="FILE", help="Figures of `load-test --out`.")
@click.option("--from-records", is_flag=True, help="Figures of the deployment's records.")
@click.option("--stack", metavar="STACK", help="For --from-records; else the environment.")
@click.option("--cpu-ms", type=POSITIVE, help="CPU time of a capture, over what is measured.")
@click.option("--duration-ms", type=POSITIVE, help="Time of a capture on an idle worker.")
@click.option("--p99-ms", type=POSITIVE, help="Its 99th percentile.")
@click.option("--bytes", "size", type=POSITIVE, help="Of an image.")
@click.option("--architecture", type=click.Choice(["arm64", "x86"]), default="arm64", show_default=True)
@click.option("--spot", is_flag=True, help="The fleet on interruptible capacity.")
@click.option("--profile", metavar="POINTS", help=f"The load to simulate: {SHAPE}. [default: a peak of 20 minutes]")
@click.option("--machine", type=POSITIVE, metavar="CPUS", help="Also what consumers on a machine with so many come to.")
@click.option("--tabs", type=click.IntRange(1), default=12, show_default=True, help="Of all of those consumers.")
@click.option("--table", is_flag=True, help="The simulated load, by minute.")
@click.option("--write", type=FILE, metavar="FILE", help="Write the context values there, as JSON.")
@click.option("--plot", type=FILE, metavar="FILE", help="Draw the simulated load there: .svg or .png.")
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
    """Work out what a load needs: tabs, memory, workers, time-outs, limits and cost, as a function and as a fleet.

    Example: stillframe plan --per-day 1000000 --burst 4 --from load.json --write context.json
    """
    load = LoadProfile.parse(profile) if profile else None
    target = _target(per_hour, per_day, preset, burst, deadline)
    plan = Plan(
        # What is simulated has to be borne.
        target=target.with_peak(load.peak) if load else target,
        figures=_figures(load_test, from_records, stack, cpu_ms, duration_ms, p99_ms, size),
        architecture=architecture,
        spot=spot,
        profile=load,
    )
    figures = plan.to_wire()
    if machine is not None:
        figures["machine"] = {"capturesPerSecond": round(_machine(plan.figures, machine, tabs), 2)}
    timeline = plan.function_timeline if plan.choice == "lambda" else plan.fleet_timeline
    if table and as_json:
        figures["timeline"] = timeline.by_minute()
    if write is not None:
        write.write_text(json.dumps({"context": plan.context()}, indent=1) + "\n", encoding="utf-8")
        note(f"context values: {write}")
    if plot is not None:
        draw_plan(plot, plan)
        note(f"plot: {plot}")
    if as_json:
        print_json(figures)
        return
    _print(figures)
    if table:
        columns = ("MINUTE", "ARRIVED", "CAPTURED", "WAITING", "WORKERS", "LONGEST WAIT, S")
        print_table(columns, table_of(timeline))


def _target(
    per_hour: float | None, per_day: float | None, preset: str | None, burst: float | None, deadline: float | None
) -> Target:
    given = [value for value in (per_hour, per_day, preset) if value is not None]
    if len(given) != 1:
        raise click.UsageError("say how many: one of --per-hour, --per-day and --preset")
    target = TARGETS[preset] if preset else Target(per_hour if per_hour is not None else (per_day or 0) / HOURS_A_DAY)
    changes = {"burst": burst, "deadline_seconds": deadline}
    return replace(target, **{name: value for name, value in changes.items() if value is not None})


def _figures(
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
        figures = _of_deployment(stack)
    given = {"cpu_ms": cpu_ms, "duration_ms": duration_ms, "p99_ms": p99_ms, "bytes": size}
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if chosen:
        figures = replace(figures, **chosen, source=f"given ({', '.join(chosen)}), else {figures.source}")
    if figures.p99_ms < figures.duration_ms:
        raise click.UsageError("--p99-ms: the 99th percentile cannot be below what is usual (--duration-ms)")
    return figures


def _of_deployment(stack: str | None) -> Figures:
    from stillframe.clients import Clients

    from ..archive import Archive
    from ..resources import find_settings

    archive = Archive(Clients.connect(), find_settings(stack, {}))
    return from_records(itertools.islice(archive.all_records(), MOST_RECORDS))


def _machine(figures: Figures, cpus: float, tabs: int) -> float:
    """What consumers on one machine come to, services and all where a load test has measured them there."""
    return throughput(replace(figures, cpu_ms=figures.machine_cpu_ms or figures.cpu_ms), cpus, tabs)


def _print(figures: dict[str, Any]) -> None:
    for reason in figures["reasons"]:
        print(f"- {reason}")
    print()
    names = sorted({*figures["lambda"], *figures["fargate"]} - {"usdPerMonth"})
    rows = [(name, figures["lambda"].get(name), figures["fargate"].get(name)) for name in names]
    rows += [
        (f"USD a month: {MONEY[name]}", figures["lambda"]["usdPerMonth"][name], figures["fargate"]["usdPerMonth"][name])
        for name in MONEY
    ]
    print_table(("FIGURE", "LAMBDA", "FARGATE"), rows)
    print()
    print_table(
        ("LIMIT OF AWS", "NEEDED", "QUOTA", "SHARE"),
        [(each["limit"], each["needed"], each["quota"], f"{each['share']:.1%}") for each in figures["limits"][:4]],
    )
    prices = figures["prices"]
    told = figures["figures"]
    print(
        f"\nA capture: {told['cpuMs']} ms of CPU, {told['durationMs']} ms in all, p99 {told['p99Ms']} ms, "
        f"{told['bytes']} bytes ({told['source']})"
    )
    print(f"If every image is fetched once from outside of AWS: {figures['dataOutUsdPerMonth']} USD a month more")
    print(f"Prices: {prices['source']}, {prices['region']}, {prices['asOf']}")
    if "machine" in figures:
        print(f"On the machine: {figures['machine']['capturesPerSecond']} captures a second")
    options = " ".join(f"-c {name}={value}" for name, value in figures["context"].items())
    print(f'\nmake deploy ARGS="{options}"', file=sys.stdout)
