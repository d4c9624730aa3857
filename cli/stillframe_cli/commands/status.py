"""`status`: one record."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import click

from stillframe.clients import Clients
from stillframe.settings import Settings

from ..archive import Archive
from ..console import json_option, note, print_json, print_table
from ..resources import resource_options

MILLISECOND_FIELDS = frozenset({"queuedAt", "claimedAt", "updatedAt", "leaseExpiresAt"})


@click.command("status")
@click.argument("screenshot_id", metavar="ID")
@resource_options
@json_option
def command(screenshot_id: str, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Show the record of one screenshot. Exit status 1 when there is none, or when it failed."""
    record = Archive(clients, settings).record(screenshot_id)
    if record is None:
        note(f"no record of {screenshot_id}")
        sys.exit(1)
    values = record.to_wire()
    if as_json:
        print_json(values)
    else:
        print_table(("FIELD", "VALUE"), ((name, readable(name, value)) for name, value in values.items()))
    sys.exit(1 if values["status"] == "failed" else 0)


def readable(name: str, value: Any) -> Any:
    """Times as people write them."""
    if name in MILLISECOND_FIELDS:
        return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds")
    if name == "expiresAt":
        return datetime.fromtimestamp(value, UTC).isoformat()
    return value
