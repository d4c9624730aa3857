"""`monitor`: how the service does, live."""

from __future__ import annotations

import functools
import sys

import click

from stillframe.clients import Clients, connect_cloudwatch
from stillframe.settings import Settings

from ..console import json_option, note, print_json, print_table
from ..metrics import ServiceMetrics
from ..resources import is_on_this_machine, resource_options
from ..status_snapshot import SnapshotReader


@click.command("monitor")
@click.option("--once", is_flag=True, help="Print once, and end.")
@click.option(
    "--every",
    type=click.FloatRange(1),
    metavar="SECONDS",
    help="Between two looks.  [default: 2 on an emulator, 30 on an account, where a look costs 0.001 USD]",
)
@click.option("--window", type=click.FloatRange(10), default=60.0, show_default=True, metavar="SECONDS")
@resource_options
@json_option
def command(
    once: bool, every: float | None, window: float, settings: Settings, clients: Clients, as_json: bool
) -> None:
    """Watch queue, workers, throughput, times, failures, skips and cost: live on a terminal, or once for scripts.

    Counts and times are those of the window before; CloudWatch has them a minute or two late.
    """
    signs = SnapshotReader(clients, settings, ServiceMetrics(connect_cloudwatch()))
    if not once and not (sys.stdout.isatty() and sys.stdin.isatty()):
        raise click.UsageError("the live screen needs a terminal; for a script: --once --json")
    if once:
        figures = signs.take(window).to_wire()
        if as_json:
            print_json(figures)
        else:
            print_table(("FIGURE", "VALUE"), figures.items())
        return
    from ..screen import MonitorScreen

    seconds = every or (2.0 if is_on_this_machine(settings) else 30.0)
    MonitorScreen(functools.partial(signs.take, window), seconds, settings.queue_url).run()
    note(f"stillframe monitor --once --json gives the same figures to a script (window {window:.0f} s)")
