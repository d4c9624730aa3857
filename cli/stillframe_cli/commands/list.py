"""`list`: show records by status and time."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import click

from stillframe.archive import Archive
from stillframe.clients import Clients
from stillframe.settings import Settings
from stillframe.table.record import Record, Status

from ..console import human_seconds, json_option, print_json, print_note, print_table
from ..resources import resource_options
from .status import format_field

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Since(click.ParamType[int]):
    """A time (ISO 8601) or a time ago (`30m`, `12h`, `7d`), converted to milliseconds since the epoch."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = str(value)
        ago = re.fullmatch(r"(\d+)([smhd])", text)
        if ago:
            moment = datetime.now(UTC) - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        else:
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                self.fail(
                    f"{text!r} is neither a time such as 2026-01-31T12:00 nor a time ago such as 30m, 12h or 7d",
                    param,
                    ctx,
                )
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return int(moment.timestamp() * 1000)


@click.command("list")
@click.option("--status", type=click.Choice([status.value for status in Status]), help="Show only this status.")
@click.option(
    "--since",
    type=Since(),
    default=0,
    help="Show only records that changed since this time: 2026-01-31T12:00 (UTC), or 30m, 12h or 7d ago.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    default=1000,
    show_default=True,
    help="Show at most this many records.",
)
@resource_options
@json_option
def command(status: str | None, since: int, limit: int, settings: Settings, clients: Clients, as_json: bool) -> None:
    """List records, newest first.

    Queued, processing and failed records come from an index. Without --status, and with --status success, the command
    reads the whole table. In a pipe, each line has the cells ID, STATUS, UPDATED, ATTEMPTS, ERROR and URL with tabs
    between them.

    \b
    Examples:
      stillframe list --status failed --since 1h
      stillframe list --status failed | cut -f1 | xargs -n1 stillframe retry
    """
    wanted = Status(status) if status else None
    found = sorted(
        Archive(clients, settings).records(wanted, since), key=lambda record: record.changed_at, reverse=True
    )
    records = found[:limit]
    if as_json:
        for record in records:
            print_json(record.to_wire())
    elif sys.stdout.isatty():
        _print_for_people(records, time.time())
    else:
        print_table((), (_cells(record, format_field("updatedAt", record.changed_at)) for record in records))
    if len(found) > limit:
        print_note(f"These are the newest {limit:,} of {len(found):,} records; --limit shows more.")


def _print_for_people(records: Sequence[Record], now: float) -> None:
    if not records:
        print_note("There are no such records.")
        return
    print_table(
        ("ID", "STATUS", "CHANGED", "ATTEMPTS", "ERROR", "URL"),
        (_cells(each, f"{human_seconds(max(0.0, now - each.changed_at / 1000))} ago") for each in records),
    )
    counts = Counter(record.status.value for record in records)
    print_note("\n" + ", ".join(f"{count:,} {status}" for status, count in counts.most_common()))


def _cells(record: Record, changed: str) -> tuple[object, ...]:
    return record.id, record.status.value, changed, record.attempts, record.error_code, record.url
