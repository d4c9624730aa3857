"""`redrive`: dead letters back to the queue."""

from __future__ import annotations

import click

from stillframe.clients import Clients
from stillframe.settings import Settings

from ..console import json_option, note, print_json
from ..redriver import Redriver
from ..resources import resource_options


@click.command("redrive")
@click.option("--max", "limit", type=click.IntRange(1), help="Bring back at most that many.")
@resource_options
@json_option
def command(limit: int | None, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Send dead letters to the queue again, each deleted only after it was sent.

    Messages that carry a reason of their own (a body that is no request, an id conflict) stay: as they are
    they can only fail again. They are counted and left for a person.
    """
    result = Redriver(clients, settings).run(limit, lambda count, message_id: note(f"[{count}] {message_id}"))
    if as_json:
        print_json({"moved": result.moved, "kept": result.kept})
    else:
        note(f"{result.moved} messages moved to the queue, {result.kept} left that carry a reason")
