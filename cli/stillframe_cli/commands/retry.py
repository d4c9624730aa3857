"""`retry`: send the request of a screenshot again."""

from __future__ import annotations

import click

from stillframe.clients import Clients
from stillframe.refused import Refused
from stillframe.retry import retry
from stillframe.settings import Settings

from ..console import json_option, print_json
from ..resources import resource_options


@click.command("retry")
@click.argument("screenshot_id", metavar="ID")
@resource_options
@json_option
def command(screenshot_id: str, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Send the request of a screenshot again.

    Use it for a screenshot that failed, permanently or not, and for one that `stillframe audit` reports as lost or
    stuck. A record that is queued or processing is left as it is and only gets a new message.

    \b
    Example:
      stillframe retry order-42
    """
    try:
        sent = retry(screenshot_id, clients, settings)
    except Refused as error:
        raise click.ClickException(error.message) from error
    if as_json:
        print_json({"id": screenshot_id, "url": sent.request.recorded_url, "messageId": sent.message_id})
    else:
        click.echo(screenshot_id)
