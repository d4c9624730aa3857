"""`audit`: find screenshots that are lost, stored twice or stuck."""

from __future__ import annotations

import sys
import time

import click

from stillframe.clients import Clients
from stillframe.printable import printable
from stillframe.settings import Settings

from ..auditor import STUCK_AFTER_SECONDS, Auditor, AuditPlan
from ..console import json_option, print_json, print_note
from ..findings import Finding
from ..input.finite import FiniteRange
from ..resources import resource_options

PROGRESS_SECONDS = 2.0


@click.command("audit")
@click.option(
    "--sample",
    "share",
    type=FiniteRange(0, 1, min_open=True),
    metavar="SHARE",
    default=1.0,
    show_default=True,
    help="Compare only this share of the objects with their records. Versions, leases and messages are always checked.",
)
@click.option(
    "--stuck-after",
    type=click.IntRange(0),
    default=STUCK_AFTER_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="While messages are waiting, report a record as stuck only when its lease ended this long ago. Raise it when "
    "the backlog takes longer.",
)
@resource_options
@json_option
def command(share: float, stuck_after: int, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Check that records, objects and queues agree.

    The exit status is 1 when a screenshot is lost, stored twice or stuck.

    The audit may run while workers capture: it reads every suspect a second time before it reports it. It changes
    nothing. It costs one scan of the table, one listing of the bucket, and one HEAD request per compared object.

    \b
    Example:
      stillframe audit --stack Stillframe
    """

    def report(finding: Finding) -> None:
        if as_json:
            print_json(finding.to_wire())
        else:
            name = finding.id or finding.s3_key
            click.echo(printable(f"{finding.kind.value:12} {name}: {finding.problem} ({finding.advice})"))

    summary = Auditor(clients, settings, AuditPlan(share, stuck_after)).audit(report, _AuditProgress().show)
    if as_json:
        print_json(summary.to_wire())
    else:
        click.echo(summary.verdict)
    sys.exit(0 if summary.is_clean else 1)


class _AuditProgress:
    """Prints a line on stderr every few seconds."""

    def __init__(self) -> None:
        self._started_at = self._printed_at = time.monotonic()

    def show(self, text: str) -> None:
        now = time.monotonic()
        if now - self._printed_at >= PROGRESS_SECONDS:
            self._printed_at = now
            print_note(f"audit: {text}, {now - self._started_at:.0f} s")
