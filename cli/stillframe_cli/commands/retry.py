"""`retry`: send the request of a screenshot again."""

from __future__ import annotations

import click

from stillframe.clients import Clients
from stillframe.clock import SystemClock
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options.access import has_redacted
from stillframe.settings import Settings
from stillframe.table import transitions
from stillframe.table.record import Record, Status
from stillframe.table.table import Table

from ..archive import Archive
from ..console import json_option, print_json
from ..producer import Producer
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
    record = Archive(clients, settings).record(screenshot_id)
    if record is None:
        raise click.ClickException(f"There is no record with the id {screenshot_id}.")
    if record.status is Status.SUCCESS:
        raise click.ClickException(
            f"{screenshot_id} is already captured, and an id is captured once. To capture the page again, send it with "
            "a new id."
        )
    if has_redacted(record.options):
        raise click.ClickException(
            f"The request of {screenshot_id} contained secrets, which its record does not keep. To capture it, "
            "send it again with --request-id, or use secretArn."
        )
    if record.status is Status.FAILED:
        _reset_to_queued(record, settings, clients)
    request = CaptureRequest(
        url=record.url,
        request_id=screenshot_id,
        options=record.options,
        tenant=record.tenant,
        metadata=record.metadata or {},
    )
    for sent in Producer(clients, settings).send([request]):
        if as_json:
            print_json({"id": screenshot_id, "url": record.url, "messageId": sent.message_id})
        else:
            click.echo(screenshot_id)


def _reset_to_queued(record: Record, settings: Settings, clients: Clients) -> None:
    """Change a failed record to queued, unless it has changed since it was read: a worker may have claimed it."""
    update = transitions.reset(record, SystemClock().now_ms())
    if not Table(clients.dynamodb, settings.table_name).update(record.id, update).is_applied:
        raise click.ClickException(
            f"The record of {record.id} has changed in the meantime. Check it with `stillframe status {record.id}`."
        )
