"""`monitor`: show the state of a deployment, live or once."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from typing import Any

import click

from stillframe.clients import Clients, connect_cloudwatch

from ..compute_metrics import ComputeMetrics
from ..console import has_terminal, json_option, print_json, print_note, print_table
from ..input.finite import FiniteRange
from ..metrics import ServiceMetrics
from ..resources import deployment_options, find_settings, is_on_this_machine, stack_outputs
from ..status_snapshot import SnapshotReader

EMULATOR_INTERVAL_SECONDS = 2.0
# On an account, the metrics of one refresh cost about 0.001 USD.
ACCOUNT_INTERVAL_SECONDS = 30.0
# CloudWatch keeps values of one minute for 15 days.
MAX_WINDOW_SECONDS = 14 * 24 * 3600.0


@click.command("monitor")
@click.option("--once", is_flag=True, help="Print the figures once and exit.")
@click.option(
    "--every",
    type=FiniteRange(1),
    metavar="SECONDS",
    help="Time between two refreshes.  [default: 2 on an emulator; 30 on an account, where a refresh costs 0.001 USD]",
)
@click.option(
    "--window",
    type=FiniteRange(10, MAX_WINDOW_SECONDS),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Length of the period that counts, times and cost cover. On an account it has whole minutes, and the last of "
    "them ended two minutes ago.",
)
@deployment_options
@json_option
def command(
    once: bool,
    every: float | None,
    window: float,
    stack: str | None,
    from_options: dict[str, str | None],
    as_json: bool,
) -> None:
    """Watch queue, workers, throughput, failures, skips and cost.

    Shows a live screen on a terminal, or prints the figures once with --once. CloudWatch delivers counts, times and
    cost a minute or two late, so that on an account they are those of the last whole minutes before that. With
    --stack, it also shows the function's concurrency, or the tasks of the fleet.

    \b
    Examples:
      stillframe monitor --stack Stillframe
      stillframe monitor --once --json
    """
    settings, clients = find_settings(stack, from_options), Clients.connect()
    if not once and not (has_terminal(sys.stdout) and sys.stdin.isatty()):
        raise click.UsageError("The live screen needs a terminal. In a script, use --once --json.")
    is_emulated = is_on_this_machine(settings)
    metrics = ServiceMetrics(connect_cloudwatch(), is_emulated, settings.service)
    # The stack was found before the settings were, so it is there.
    outputs = stack_outputs(stack) if stack and not is_emulated else {}
    compute = ComputeMetrics(connect_cloudwatch(), outputs, is_emulated, settings.service)
    reader = SnapshotReader(clients, settings, metrics, compute)
    if once:
        figures = reader.read(window).to_wire()
        if as_json:
            print_json(figures)
        else:
            print_table(("FIGURE", "VALUE"), ((name, _format(value)) for name, value in figures.items()))
        return
    from ..monitor_screen import MonitorScreen

    interval = every or (EMULATOR_INTERVAL_SECONDS if is_on_this_machine(settings) else ACCOUNT_INTERVAL_SECONDS)
    MonitorScreen(functools.partial(reader.read, window), interval, settings.queue_url).run()
    print_note("In a script, `stillframe monitor --once --json` prints the same figures.")


def _format(value: object) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {each}" for name, each in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(_of_tenant(each) if isinstance(each, dict) else each for each in value) or "none"
    return value


def _of_tenant(usage: Mapping[str, Any]) -> str:
    return f"{usage['tenant']}: {usage['captures']:,} captures, {usage['usd']:.2f} USD this month"
