"""`send`: put requests on the queue."""

from __future__ import annotations

from typing import Any

import click

from stillframe.clients import Clients
from stillframe.producer import Producer
from stillframe.settings import Settings

from ..console import ProgressReport, json_option, print_json, print_note
from ..input.options import render_options
from ..input.requests import input_options, read_requests
from ..resources import resource_options


@click.command("send")
@click.argument("urls", nargs=-1, metavar="[URL]...")
@input_options
@click.option("--request-id", metavar="ID", help="Screenshot id to use. Only with a single URL.")
@click.option(
    "--once",
    is_flag=True,
    help="Derive the screenshot id from the URL and the options, so that equal requests are captured once.",
)
@render_options
@click.option(
    "--repeat",
    type=click.IntRange(1, 100_000),
    metavar="N",
    default=1,
    show_default=True,
    help="How many messages to send for each request.",
)
@click.option(
    "--tenant",
    metavar="NAME",
    help="Tenant that the messages belong to. A tenant with many messages does not delay those of the others.",
)
@resource_options
@json_option
def command(
    urls: tuple[str, ...],
    file: str | None,
    strict: bool,
    request_id: str | None,
    once: bool,
    options: dict[str, Any],
    repeat: int,
    tenant: str | None,
    settings: Settings,
    clients: Clients,
    as_json: bool,
) -> None:
    """Send capture requests to the queue and record them as queued.

    Prints the screenshot id of each. Every URL gets a new id, unless --request-id or --once is given or the request in
    the file has an id of its own. An id that belongs to another request is refused.

    \b
    Example:
      stillframe send example.com --request-id order-42 --full-page
    """
    reading = read_requests(urls, file, options, request_id, strict)
    requests = (reading.requests if once else reading.with_ids()) * repeat
    count = 0
    with ProgressReport("sending", len(requests)) as progress:
        for sent in Producer(clients, settings, tenant=tenant, refuses_conflicts=True).send(requests):
            count += 1
            progress.advance()
            if as_json:
                print_json({"id": sent.request.id, "url": sent.request.recorded_url, "messageId": sent.message_id})
            else:
                click.echo(sent.request.id)
    print_note(f"Sent {count} {'message' if count == 1 else 'messages'}.")
