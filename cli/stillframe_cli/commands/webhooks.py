"""`webhooks`: what was tried to tell somebody of a screenshot."""

from __future__ import annotations

import sys
import time

import click

from stillframe.archive import Archive
from stillframe.clients import Clients
from stillframe.clock import SystemClock
from stillframe.settings import Settings
from stillframe.table.table import Table
from stillframe.webhooks.attempts import Attempt, AttemptLog, AttemptResult

from ..console import human_seconds, json_option, print_json, print_note, print_table
from ..resources import resource_options
from .status import format_field


@click.command("webhooks")
@click.argument("screenshot_id", metavar="ID")
@resource_options
@json_option
def command(screenshot_id: str, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Show every attempt to call the webhooks of a screenshot.

    The exit status is 1 when the last one for an event has failed, or when there is no such screenshot.

    \b
    Example:
      stillframe webhooks order-42
    """
    table = Table(clients.dynamodb, settings.table_name)
    attempts = AttemptLog(table, settings.record_retention_seconds, SystemClock()).read(screenshot_id)
    record = None if attempts else Archive(clients, settings).record(screenshot_id)
    if not attempts and record is None:
        print_note(f"There is no record with the id {screenshot_id}.")
        sys.exit(1)
    if as_json:
        for attempt in attempts:
            print_json(attempt.to_wire())
    elif attempts:
        print_table(
            ("AT", "EVENT", "HOST", "RESULT", "STATUS", "MS", "NEXT", "REASON", "EVENT ID"), map(_row, attempts)
        )
    else:
        has_own = record is not None and record.webhook is not None
        print_note(f"No webhook of {screenshot_id} was tried yet.{'' if has_own else ' Its request names none.'}")
    last = {(attempt.event_id, attempt.host): attempt.result for attempt in attempts}
    sys.exit(0 if set(last.values()) <= {AttemptResult.DELIVERED} else 1)


def _row(attempt: Attempt) -> tuple[object, ...]:
    wait = (attempt.next_at or 0) / 1000 - time.time()
    return (
        format_field("updatedAt", attempt.at),
        attempt.event,
        attempt.host,
        attempt.result.value,
        attempt.http_status,
        attempt.ms,
        f"in {human_seconds(wait)}" if wait > 0 else None,
        attempt.reason,
        attempt.event_id,
    )
