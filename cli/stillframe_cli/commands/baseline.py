"""`baseline`: the captures with which those of a watch are compared."""

from __future__ import annotations

from pathlib import Path

import click

from stillframe.clients import Clients
from stillframe.refused import Refused
from stillframe.settings import Settings
from stillframe.watches.store import WatchStore

from ..check.baseline import Baseline
from ..console import json_option, print_json, print_note, print_table
from ..resources import resource_options
from ..watching.baselines import Baselines
from ..watching.exported_baseline import export


@click.command("baseline")
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the images to this directory, as `check --baseline` reads it.",
)
@resource_options
@json_option
def command(name: str, out: Path | None, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Show which captures are the baseline of a watch. `stillframe approve` changes it.

    \b
    Examples:
      stillframe baseline shop
      stillframe baseline shop --out baseline
    """
    baselines = Baselines(clients, settings)
    try:
        watch = WatchStore(clients, settings).find(name)
        pages = list(baselines.of(watch))
        written = export(watch, pages, baselines, Baseline(out)) if out is not None else None
    except Refused as error:
        raise click.ClickException(error.message) from error
    if as_json:
        for page in pages:
            print_json({"url": page.url, "id": page.capture.id if page.capture is not None else None})
    else:
        print_table(("URL", "BASELINE"), ((each.url, each.capture.id if each.capture else "none") for each in pages))
    if written is not None:
        print_note(f"{written} of {len(pages)} images written to {out}")
