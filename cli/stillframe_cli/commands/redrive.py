"""`redrive`: move dead letters back to the queue."""

from __future__ import annotations

import click

from stillframe.clients import Clients
from stillframe.settings import Settings

from ..console import json_option, print_json, print_note
from ..redriver import Redriver
from ..resources import resource_options


@click.command("redrive")
@click.option("--max", "limit", type=click.IntRange(1), metavar="N", help="Move at most this many messages.")
@resource_options
@json_option
def command(limit: int | None, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Move messages from the dead-letter queue back to the queue.

    Each message is deleted only after it was sent, so that none is lost. Messages that were rejected with an error code
    of their own (an invalid message, an id conflict) stay where they are, because they would only fail again.
    """
    result = Redriver(clients, settings).redrive(limit, lambda count, message_id: print_note(f"[{count}] {message_id}"))
    if as_json:
        print_json({"moved": result.moved, "kept": result.kept})
    else:
        print_note(f"Moved {result.moved} messages to the queue. Left {result.kept} that carry an error code.")
