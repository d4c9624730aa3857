"""`watch`: pages that are captured again and again, each period once."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterator, Set
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
from botocore.exceptions import BotoCoreError, ClientError

from stillframe.clients import Clients
from stillframe.refused import Refused
from stillframe.request.options import BASELINE
from stillframe.settings import Settings
from stillframe.watches.declared import MAX_SPREAD_MINUTES, Declared
from stillframe.watches.store import WatchStore
from stillframe.watches.watch import Watch, period_text

from ..console import ProgressReport, json_option, print_json, print_note, print_table
from ..counted import counted
from ..input.options import render_options
from ..resources import resource_options
from ..watching.schedule_group import ScheduleGroup
from ..watching.watches_file import read_watches

F = TypeVar("F", bound=Callable[..., Any])


@click.group("watch")
def command() -> None:
    """Capture pages again and again, each period once.

    A period's screenshot has an id of its own, made of the watch, the URL and the time, so that no period is captured
    twice. `stillframe history` shows the periods, and `stillframe audit` names those that were missed.

    \b
    Examples:
      stillframe watch add shop https://example.com --every 1h --compare
      stillframe watch add news https://example.com --cron "30 6 * * *"
      stillframe watch apply watches.yaml
      stillframe watch list
    """


def changing(function: F) -> F:
    """Let the command print the watch that it returns, or the reason why nothing was changed."""

    @resource_options
    @json_option
    @functools.wraps(function)
    def wrapper(*args: Any, settings: Settings, clients: Clients, as_json: bool, **kwargs: Any) -> None:
        try:
            group = ScheduleGroup.of(settings, clients)
            watch, said = function(*args, store=WatchStore(clients, settings), **kwargs)
        except (Refused, ValueError) as error:
            _fail(error)
        _schedule(group, [watch])
        if as_json:
            print_json(watch.model_dump(mode="json", by_alias=True))
        else:
            print_note(said)

    return wrapper  # type: ignore[return-value]


@command.command("add")
@click.argument("name")
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@click.option("--every", metavar="INTERVAL", help="Capture at this interval: 15m, 1h, 1d, 7d.")
@click.option("--cron", metavar="RULE", help="Capture at these times: five fields, as in '30 6 * * *'.")
@click.option("--timezone", metavar="ZONE", help="Time zone of the rule.  [default: UTC]")
@click.option("--compare", is_flag=True, help="Compare each capture with the one before it.")
@click.option("--baseline", is_flag=True, help="Compare each capture with the approved one.")
@click.option("--confirm", is_flag=True, help="Report a change once two captures in a row show it.")
@click.option(
    "--spread",
    type=click.IntRange(0, MAX_SPREAD_MINUTES),
    default=0,
    metavar="MINUTES",
    help="Begin the captures of a period within this time.",
)
@render_options
@changing
def add(
    name: str,
    urls: tuple[str, ...],
    every: str | None,
    cron: str | None,
    timezone: str | None,
    compare: bool,
    baseline: bool,
    confirm: bool,
    spread: int,
    options: dict[str, Any],
    store: WatchStore,
) -> tuple[Watch, str]:
    """Begin to watch pages, or change a watch. Its first period is the next one.

    \b
    Example:
      stillframe watch add shop https://example.com --every 1h --compare
    """
    when = {"every": every, "cron": cron, "timezone": timezone}
    given = {key: value for key, value in when.items() if value is not None}
    values = {"urls": list(urls), "options": options, "spread": spread, **given}
    values |= {"compare": BASELINE if baseline else compare, "confirm": confirm}
    watch = store.declare(Declared.of(name, values))
    return watch, f"{name}: {_described(watch)}."


@command.command("apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@resource_options
@json_option
def apply(file: Path, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Make the watches those of a file: add, change and remove, until what is declared is what runs.

    Nothing is changed unless the whole file is right.

    \b
    Example:
      stillframe watch apply watches.yaml
    """
    store = WatchStore(clients, settings)
    try:
        group = ScheduleGroup.of(settings, clients)
        declared = read_watches(file)
        changed = [("declared", store.declare(each)) for each in declared]
        kept = {each.name for each in declared}
        changed += [("removed", store.remove(each.name)) for each in store.list() if each.name not in kept]
    except (Refused, ValueError) as error:
        _fail(error)
    _schedule(group, [watch for _, watch in changed], kept)
    for what, watch in changed:
        if as_json:
            print_json({"watch": watch.name, "state": what})
        else:
            print_note(f"{watch.name}: {'removed' if what == 'removed' else _described(watch)}.")


@command.command("list")
@resource_options
@json_option
def list_watches(settings: Settings, clients: Clients, as_json: bool) -> None:
    """List the watches with their next period.

    \b
    Example:
      stillframe watch list
    """
    watches = WatchStore(clients, settings).list()
    if as_json:
        for watch in watches:
            print_json(watch.model_dump(mode="json", by_alias=True))
        return
    if not watches:
        print_note("There are no watches. `stillframe watch add` makes one.")
        return
    print_table(("NAME", "URLS", "RULE", "TIME ZONE", "NEXT"), map(_cells, watches))


@command.command("show")
@click.argument("name")
@resource_options
@json_option
def show(name: str, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Show one watch.

    \b
    Example:
      stillframe watch show shop
    """
    try:
        watch = WatchStore(clients, settings).find(name)
    except Refused as error:
        _fail(error)
    if as_json:
        print_json(watch.model_dump(mode="json", by_alias=True))
        return
    rows: list[tuple[object, ...]] = [
        ("name", watch.name),
        ("state", _described(watch)),
        ("compare", _compared(watch)),
    ]
    rows += [("options", watch.options), ("spread", f"{watch.spread_minutes} minutes")]
    print_table(("", ""), [*rows, *(("url", url) for url in watch.urls)])


@command.command("pause")
@click.argument("name")
@changing
def pause(name: str, store: WatchStore) -> tuple[Watch, str]:
    """Let no new period of a watch begin.

    \b
    Example:
      stillframe watch pause shop
    """
    return store.pause(name), f"{name} is paused. `stillframe watch resume {name}` lets it go on."


@command.command("resume")
@click.argument("name")
@changing
def resume(name: str, store: WatchStore) -> tuple[Watch, str]:
    """Let the periods of a watch begin again.

    \b
    Example:
      stillframe watch resume shop
    """
    watch = store.resume(name)
    return watch, f"{name}: {_described(watch)}."


@command.command("remove")
@click.argument("name")
@changing
def remove(name: str, store: WatchStore) -> tuple[Watch, str]:
    """End a watch. Its screenshots stay, and its history can be read for as long as they do.

    \b
    Example:
      stillframe watch remove shop
    """
    return store.remove(name), f"{name} is removed. `stillframe history {name}` still shows what it has captured."


def _schedule(group: ScheduleGroup | None, watches: list[Watch], kept: Set[str] | None = None) -> None:
    """Make the schedules in the account what the watches say. Each is put whole, so that it can be tried again.

    With `kept`, those of other watches are deleted.
    """
    if group is None:
        return
    with ProgressReport("scheduling", len(watches)) as progress:
        for watch in watches:
            with _explaining(f"The watch {watch.name} is kept, but not all of its schedules are made"):
                group.put(watch)
            progress.advance(watch.name)
    if kept is not None:
        with _explaining("Not all schedules of watches that were removed are deleted"):
            group.delete_others(kept)


@contextlib.contextmanager
def _explaining(said: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise click.ClickException(f"{said}: {error}. Call the same command again.") from error


def _cells(watch: Watch) -> tuple[object, ...]:
    return watch.name, len(watch.urls), watch.schedule.cron, watch.schedule.timezone, _next(watch)


def _compared(watch: Watch) -> str:
    if watch.compare_to is None:
        return "no"
    return f"with the {watch.compare_to} capture{', if two in a row agree' if watch.confirm else ''}"


def _next(watch: Watch) -> str:
    following = None if watch.is_paused else watch.schedule.following(int(time.time() * 1000))
    return period_text(following) if following is not None else "paused" if watch.is_paused else "never"


def _described(watch: Watch) -> str:
    if watch.is_removed:
        return "removed"
    pages = counted(len(watch.urls), "page")
    return f"{pages}, paused" if watch.is_paused else f"{pages}, next at {_next(watch)}"


def _fail(error: Refused | ValueError) -> NoReturn:
    """A wrong value is wrong usage, and what cannot be done is a failure."""
    if isinstance(error, ValueError):
        raise click.UsageError(str(error)) from error
    raise click.ClickException(error.message) from error
