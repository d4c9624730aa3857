"""`redrive`: move dead letters back to the queue."""

from __future__ import annotations

import sys

import click

from stillframe.clients import Clients
from stillframe.settings import Settings

from ..backlog import message_counts
from ..console import human_bytes, json_option, print_json, print_note, print_table
from ..dead_letters import DeadLetters
from ..redriver import Redriver, RedriveResult
from ..resources import resource_options
from .status import format_field


@click.command("redrive")
@click.option("--max", "limit", type=click.IntRange(1), metavar="N", help="Move at most this many messages.")
@click.option("--list", "only_list", is_flag=True, help="List the messages with their reasons, and move none.")
@click.option("--webhooks", "of_webhooks", is_flag=True, help="Webhooks that were given up, in place of requests.")
@resource_options
@json_option
def command(
    limit: int | None, only_list: bool, of_webhooks: bool, settings: Settings, clients: Clients, as_json: bool
) -> None:
    """Move messages from the dead-letter queue back to the queue.

    Each message is deleted only after it was sent, so that none is lost. Messages that were rejected with an error code
    of their own (an invalid message, an id conflict) stay where they are, because they would only fail again. Messages
    that SQS does not accept stay as well and are named; then the exit status is 1. Messages in flight, which somebody
    else has received, are counted but cannot be moved.

    \b
    Examples:
      stillframe redrive --list
      stillframe redrive --max 10
      stillframe redrive --webhooks
    """
    if of_webhooks:
        settings = settings.of_webhooks()
    if only_list:
        _list(DeadLetters(clients, settings), as_json)
        return
    result = Redriver(clients, settings).redrive(limit, print_note)
    in_flight = _in_flight_elsewhere(result, clients, settings)
    if as_json:
        values = {"moved": result.moved, "kept": result.kept, "refused": result.refused, "inFlight": in_flight}
        print_json(values)
    else:
        print_note(f"Moved {result.moved} messages to the queue. Left {result.kept} that carry an error code.")
        if result.refused:
            print_note(f"Left {result.refused} that SQS does not accept.")
        if in_flight:
            print_note(f"{in_flight} are in flight, received by somebody else: run redrive again in a minute.")
    sys.exit(1 if result.refused else 0)


def _in_flight_elsewhere(result: RedriveResult, clients: Clients, settings: Settings) -> int:
    """How many letters are in flight, without those that this run has received and left."""
    _, in_flight, _ = message_counts(clients, settings.dead_letter_queue_url)
    return max(0, in_flight - result.kept - result.refused)


def _list(letters: DeadLetters, as_json: bool) -> None:
    if as_json:
        for letter in letters.read_all():
            print_json(letter.to_wire())
        return
    print_table(
        ("MESSAGE", "SENT", "SIZE", "REDRIVE", "ERROR", "ID", "URL", "REASON"),
        (
            (
                letter.message_id,
                format_field("updatedAt", letter.sent_at),
                human_bytes(letter.bytes),
                "yes" if letter.is_redrivable else "no",
                letter.error_code,
                letter.id,
                letter.url,
                letter.error_message,
            )
            for letter in letters.read_all()
        ),
    )
