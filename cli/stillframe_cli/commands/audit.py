"""`audit`: is anything lost, stored twice, or stuck?"""

from __future__ import annotations

import sys
import time

import click

from stillframe.clients import Clients
from stillframe.settings import Settings

from ..auditor import STUCK_AFTER_SECONDS, Auditor, AuditPlan
from ..console import json_option, note, print_json, print_table
from ..findings import Finding
from ..resources import resource_options

PROGRESS_SECONDS = 2.0


@click.command("audit")
@click.option(
    "--sample",
    "share",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Share of the ids whose object is compared with its record. Versions, leases and messages are always checked.",
)
@click.option(
    "--stuck-after",
    type=click.IntRange(0),
    default=STUCK_AFTER_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long a lease may be over while messages are waiting. Raise it when the backlog is longer.",
)
@resource_options
@json_option
def command(share: float, stuck_after: int, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Compare records, objects and queues. Exit status 1 when something is lost, stored twice or stuck.

    Reads page by page in constant memory, and may run while the service is at work: each suspect is looked at a
    second time. It costs one read of the table, one listing of the bucket, and a HEAD for each compared object.
    """

    def report(finding: Finding) -> None:
        if as_json:
            print_json(finding.to_wire())
        else:
            name = finding.id or finding.s3_key
            click.echo(f"{finding.kind.value:12} {name}: {finding.problem} ({finding.advice})")

    summary = Auditor(clients, settings, AuditPlan(share, stuck_after)).run(report, _Progress().tell)
    if as_json:
        print_json(summary.to_wire())
    else:
        figures = summary.to_wire()
        print_table(tuple(figures), [tuple(figures.values())])
    sys.exit(0 if summary.is_clean else 1)


class _Progress:
    """A line on stderr every few seconds."""

    def __init__(self) -> None:
        self._started = self._told_at = time.monotonic()

    def tell(self, text: str) -> None:
        now = time.monotonic()
        if now - self._told_at >= PROGRESS_SECONDS:
            self._told_at = now
            note(f"audit: {text}, {now - self._started:.0f} s")
