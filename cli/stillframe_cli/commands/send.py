"""`send`: the producer."""

from __future__ import annotations

from typing import IO

import click

from stillframe.clients import Clients
from stillframe.settings import Settings

from ..console import ProgressReport, json_option, note, print_json
from ..producer import Producer, parse_options, read_requests
from ..resources import resource_options


@click.command("send")
@click.argument("urls", nargs=-1, metavar="URL...")
@click.option("--file", "file", type=click.File(encoding="utf-8"), help="A URL or a JSON request a line; - is stdin.")
@click.option("--request-id", metavar="ID", help="The screenshot id, for a single URL.")
@click.option("--once", is_flag=True, help="Derive the id from the request: the same one twice is one screenshot.")
@click.option("--options", metavar="JSON", help="Render options.")
@click.option("--repeat", type=click.IntRange(1, 100_000), default=1, help="Send each message that many times.")
@click.option(
    "--tenant",
    metavar="NAME",
    help="Whose messages these are: when one tenant sends many, those of the others do not wait for them.",
)
@resource_options
@json_option
def command(
    urls: tuple[str, ...],
    file: IO[str] | None,
    request_id: str | None,
    once: bool,
    options: str | None,
    repeat: int,
    tenant: str | None,
    settings: Settings,
    clients: Clients,
    as_json: bool,
) -> None:
    """Record requests as queued and put them on the queue. Every line gets a fresh id unless told otherwise."""
    requests = read_requests(urls, file, parse_options(options), request_id, once) * repeat
    count = 0
    with ProgressReport("sending", len(requests)) as progress:
        for sent in Producer(clients, settings, tenant=tenant).send(requests):
            count += 1
            progress.step(sent.request.recorded_url)
            if as_json:
                print_json({"id": sent.request.id, "url": sent.request.recorded_url, "messageId": sent.message_id})
            else:
                click.echo(sent.request.id)
    note(f"{count} messages sent")
