"""`retry`: one screenshot again."""

from __future__ import annotations

import click
from botocore.exceptions import ClientError

from stillframe.clients import Clients
from stillframe.clock import SystemClock
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options.access import has_redacted
from stillframe.settings import Settings
from stillframe.table.record import PARTITION_KEY, Record, Status, index_shard, to_attributes
from stillframe.table.update import Update, is_conditional_failure

from ..archive import Archive
from ..console import json_option, print_json
from ..producer import Producer
from ..resources import resource_options


@click.command("retry")
@click.argument("screenshot_id", metavar="ID")
@resource_options
@json_option
def command(screenshot_id: str, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Send a screenshot again that failed, also for good (the page may have changed), or that the audit found.

    What is queued or stuck just gets a new message: the claim decides whether there is something to do.
    """
    record = Archive(clients, settings).record(screenshot_id)
    if record is None:
        raise click.ClickException(f"no record of {screenshot_id}")
    if record.status is Status.SUCCESS:
        raise click.ClickException(f"{screenshot_id} is success: it is captured once; send the page under a new id")
    if has_redacted(record.options):
        raise click.ClickException(
            f"{screenshot_id} was asked for with secrets, which its record does not keep: "
            "send it again with --request-id, or use secretArn"
        )
    if record.status is Status.FAILED:
        _reset(record, settings, clients)
    request = CaptureRequest(url=record.url, request_id=screenshot_id, options=record.options)
    for sent in Producer(clients, settings).send([request]):
        if as_json:
            print_json({"id": screenshot_id, "url": record.url, "messageId": sent.message_id})
        else:
            click.echo(screenshot_id)


def _reset(record: Record, settings: Settings, clients: Clients) -> None:
    """From failed to queued, conditional on what was read: a worker may have taken it up meanwhile."""
    update = Update(
        set_values={
            "status": Status.QUEUED,
            "indexShard": index_shard(Status.QUEUED, record.id),
            "updatedAt": SystemClock().now_ms(),
        },
        remove=("claimToken",),
        condition="#status = :failed AND updatedAt = :seen",
        values={":failed": Status.FAILED, ":seen": record.updated_at},
    )
    try:
        clients.dynamodb.update_item(
            TableName=settings.table_name, Key=to_attributes({PARTITION_KEY: record.id}), **update.to_arguments()
        )
    except ClientError as error:
        if is_conditional_failure(error):
            raise click.ClickException(f"{record.id} changed meanwhile; look at its status") from error
        raise
