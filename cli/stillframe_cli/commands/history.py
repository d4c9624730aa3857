"""`history`: the periods of a watch, and what became of each."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import click

from stillframe.archive import Archive
from stillframe.clients import Clients
from stillframe.refused import Refused
from stillframe.settings import Settings
from stillframe.table.record import Record
from stillframe.watches.history import History, Period
from stillframe.watches.store import UnknownWatch, WatchStore
from stillframe.watches.watch import Watch, period_text

from ..console import json_option, print_json, print_note, print_table
from ..local.folder import OutputFolder
from ..resources import resource_options
from ..watching.timeline import Line, Timeline
from .list import Since

DAY_MS = 24 * 3600 * 1000
# Of two decimal places.
SMALLEST_SHARE = 0.0001


@click.command("history")
@click.argument("watch_or_url", metavar="NAME|URL")
@click.option(
    "--since", type=Since(), help="Show only periods since this time: 2026-01-31T12:00 (UTC), or 30m, 12h or 7d ago."
)
@click.option("--changed", "only_changed", is_flag=True, help="Show only periods whose image changed.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    default=100,
    show_default=True,
    help="Show at most this many periods of each page.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the images, and a page with a slider through time, to this directory.",
)
@resource_options
@json_option
def command(
    watch_or_url: str,
    since: int | None,
    only_changed: bool,
    limit: int,
    out: Path | None,
    settings: Settings,
    clients: Clients,
    as_json: bool,
) -> None:
    """Show the periods of a watch, or of all watches of a URL, the latest first.

    A period is `due` until it is sent, and `missed` if the next one began before that. The records are read by the ids
    that the periods have: no table is scanned.

    \b
    Examples:
      stillframe history shop --since 7d
      stillframe history shop --out history
      stillframe history https://example.com --changed --json
    """
    store, now_ms = WatchStore(clients, settings), int(time.time() * 1000)
    after_ms = since if since is not None else now_ms - settings.record_retention_days * DAY_MS
    try:
        found = list(_series(store, watch_or_url))
    except Refused as error:
        raise click.ClickException(error.message) from error
    archive, lines = Archive(clients, settings), []
    for watch, url in found:
        periods = History(archive).of(watch, url, after_ms, now_ms)
        wanted = (each for each in periods if not only_changed or _has_changed(each))
        lines.append(Line(url, list(itertools.islice(wanted, limit))))
        _print(lines[-1], as_json)
    if out is not None:
        with OutputFolder.open(out) as folder:
            print_note(f"History: {Timeline(archive, folder).write(watch_or_url, lines)}")


def _series(store: WatchStore, watch_or_url: str) -> Iterator[tuple[Watch, str]]:
    if "://" not in watch_or_url:
        watch = store.find(watch_or_url)
        yield from ((watch, url) for url in watch.known_urls)
        return
    watches = [watch for watch in store.list() if watch_or_url in watch.known_urls]
    if not watches:
        raise UnknownWatch(f"No watch has the URL {watch_or_url}. `stillframe watch list` shows all watches.")
    yield from ((watch, watch_or_url) for watch in watches)


def _has_changed(period: Period) -> bool:
    record = period.record
    return record is not None and bool(record.changed) and record.changed_since is None


def _print(line: Line, as_json: bool) -> None:
    if as_json:
        for each in line.periods:
            print_json(each.to_wire())
        return
    print_note(f"{line.url}: {len(line.periods):,} period{'' if len(line.periods) == 1 else 's'}")
    print_table(("PERIOD", "STATUS", "CHANGED", "ID"), map(_cells, line.periods))


def _cells(period: Period) -> tuple[object, ...]:
    return period_text(period.at_ms), period.state, change_of(period.record), period.id


def change_of(record: Record | None) -> str:
    """The share of pixels that changed. However small a change is, it is not shown as none."""
    if record is None or record.difference is None:
        return ""
    is_small = 0 < record.difference < SMALLEST_SHARE
    share = f"<{SMALLEST_SHARE:.2%}" if is_small else f"{record.difference:.2%}"
    return share + (" (unconfirmed)" if record.unconfirmed else " (as before)" if record.changed_since else "")
