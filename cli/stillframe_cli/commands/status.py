"""`status`: show one record."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import click

from stillframe.archive import Archive
from stillframe.clients import Clients
from stillframe.settings import Settings

from ..console import json_option, print_json, print_note, print_table
from ..resources import resource_options

MILLISECOND_FIELDS = frozenset({"queuedAt", "claimedAt", "updatedAt", "leaseExpiresAt"})


@click.command("status")
@click.argument("screenshot_id", metavar="ID")
@resource_options
@json_option
def command(screenshot_id: str, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Show the record of a screenshot.

    The exit status is 1 when there is no record, or when the capture failed.
    """
    record = Archive(clients, settings).record(screenshot_id)
    if record is None:
        print_note(f"There is no record with the id {screenshot_id}.")
        sys.exit(1)
    values = record.to_wire()
    if as_json:
        print_json(values)
    else:
        print_table(("FIELD", "VALUE"), ((name, format_field(name, value)) for name, value in values.items()))
    sys.exit(1 if values["status"] == "failed" else 0)


def format_field(name: str, value: Any) -> Any:
    """Return the value of a record's field, with times in ISO 8601 (UTC) instead of numbers."""
    if name in MILLISECOND_FIELDS:
        return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds")
    if name == "expiresAt":
        return datetime.fromtimestamp(value, UTC).isoformat()
    return value
