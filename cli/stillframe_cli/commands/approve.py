"""`approve`: make a capture of a watch the one with which new ones are compared."""

from __future__ import annotations

import click

from stillframe.clients import Clients
from stillframe.refused import Refused
from stillframe.settings import Settings
from stillframe.watches.store import WatchStore

from ..console import json_option, print_json, print_note
from ..resources import resource_options
from ..watching.baselines import Baselines


@click.command("approve")
@click.argument("name")
@click.argument("urls", nargs=-1, metavar="[URL]...")
@click.option("--period", metavar="TIME", help="The period, as `history` shows it.  [default: the latest captured]")
@resource_options
@json_option
def command(
    name: str, urls: tuple[str, ...], period: str | None, settings: Settings, clients: Clients, as_json: bool
) -> None:
    """Make what was captured the baseline of a watch, for these pages or for all.

    Each later capture is compared with it, until another one is approved. Look at it first: `stillframe history` names
    the screenshots.

    \b
    Examples:
      stillframe approve shop
      stillframe approve shop https://example.com --period 2026-01-31T12:00:00Z
    """
    baselines = Baselines(clients, settings)
    try:
        watch = WatchStore(clients, settings).find(name)
        if unknown := [url for url in urls if url not in watch.urls]:
            raise Refused(
                f"{name} does not have the page {unknown[0]}. `stillframe watch show {name}` lists its pages."
            )
        for url in urls or watch.urls:
            capture = baselines.approve(watch, url, period)
            if as_json:
                print_json({"url": url, "id": capture.id})
            else:
                print_note(f"{url}: {capture.id} is the baseline.")
    except Refused as error:
        raise click.ClickException(error.message) from error
