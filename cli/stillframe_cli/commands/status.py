"""`status`: show one record."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

import click

from stillframe.archive import Archive
from stillframe.clients import Clients
from stillframe.printable import printable
from stillframe.settings import Settings
from stillframe.table.record import Record, Status

from ..console import human_bytes, human_seconds, json_option, print_json, print_note, print_table
from ..resources import resource_options

MILLISECOND_FIELDS = frozenset({"queuedAt", "claimedAt", "updatedAt", "leaseExpiresAt"})
# Of use to programs only; --json has them.
INTERNAL_FIELDS = frozenset({"claimToken", "payloadHash", "leaseExpiresAt", "messageId", "s3Key"})


@click.command("status")
@click.argument("screenshot_id", metavar="ID")
@resource_options
@json_option
def command(screenshot_id: str, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Show the record of a screenshot.

    The exit status is 1 when there is no record, or when the capture failed.

    \b
    Example:
      stillframe status order-42
    """
    record = Archive(clients, settings).record(screenshot_id)
    if record is None:
        print_note(f"There is no record with the id {screenshot_id}.")
        sys.exit(1)
    values = record.to_wire()
    if as_json:
        print_json(values)
    elif sys.stdout.isatty():
        click.echo(printable(describe_record(record, time.time())) + "\n")
        shown = ((name, value) for name, value in values.items() if name not in INTERNAL_FIELDS)
        print_table(("FIELD", "VALUE"), ((name, _format_for_people(name, value)) for name, value in shown))
    else:
        print_table(("FIELD", "VALUE"), ((name, format_field(name, value)) for name, value in values.items()))
    sys.exit(1 if values["status"] == "failed" else 0)


def describe_record(record: Record, now: float) -> str:
    """Return what happened to a screenshot in a sentence. `now` is in seconds since the epoch."""
    ago = f"{human_seconds(max(0.0, now - (record.updated_at or 0) / 1000))} ago"
    if record.status is Status.SUCCESS:
        size = f"{record.width}x{record.height}, {human_bytes(record.bytes)}"
        return f"{record.id} was captured {ago}: {size}. `stillframe get {record.id} --out FILE` downloads it."
    if record.status is Status.FAILED:
        reason = f"{record.error_code}: {record.error_message}"
        return f"{record.id} failed {ago}: {reason}. `stillframe retry {record.id}` sends it again."
    if record.status is Status.PROCESSING:
        since = human_seconds(max(0.0, now - (record.claimed_at or 0) / 1000))
        return f"{record.id} is being captured by {record.worker_id}, since {since}."
    tried = f", after {record.attempts} attempts ({record.error_code})" if record.attempts else ""
    return f"{record.id} is waiting on the queue since {ago.removesuffix(' ago')}{tried}."


def _format_for_people(name: str, value: Any) -> Any:
    if name == "bytes":
        return human_bytes(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return format_field(name, value)


def format_field(name: str, value: Any) -> Any:
    """Return the value of a record's field, with times in ISO 8601 (UTC) instead of numbers."""
    if name in MILLISECOND_FIELDS:
        return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds")
    if name == "expiresAt":
        return datetime.fromtimestamp(value, UTC).isoformat()
    return value
