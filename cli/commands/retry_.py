"""`retry`: one screenshot again."""

from __future__ import annotations

import click
from botocore.exceptions import ClientError

from stillframe.clients import Clients
from stillframe.clock import SystemClock
from stillframe.record import PARTITION_KEY, Status, index_shard, to_attributes
from stillframe.request import CaptureRequest
from stillframe.settings import Settings
from stillframe.update import Update, is_conditional_failure

from ..archive import Archive
from ..console import json_option, print_json
from ..producer import Producer
from ..resources import resource_options


@click.command("retry")
@click.argument("capture_id", metavar="ID")
@resource_options
@json_option
def command(capture_id: str, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Send a failed screenshot again, also one whose failure was permanent (the page may have changed)."""
    record = Archive(clients, settings).record(capture_id)
    if record is None:
        raise click.ClickException(f"no record of {capture_id}")
    if record.status is not Status.FAILED:
        raise click.ClickException(f"{capture_id} is {record.status.value}: only what failed is tried again")
    # Conditional on what was read: a worker may have taken it up meanwhile.
    update = Update(
        set_values={
            "status": Status.QUEUED,
            "indexShard": index_shard(Status.QUEUED, capture_id),
            "updatedAt": SystemClock().now_ms(),
        },
        remove=("claimToken",),
        condition="#status = :failed AND updatedAt = :seen",
        values={":failed": Status.FAILED, ":seen": record.updated_at},
    )
    try:
        clients.dynamodb.update_item(
            TableName=settings.table_name, Key=to_attributes({PARTITION_KEY: capture_id}), **update.to_arguments()
        )
    except ClientError as error:
        if is_conditional_failure(error):
            raise click.ClickException(f"{capture_id} changed meanwhile; look at its status") from error
        raise
    request = CaptureRequest(url=record.url, request_id=capture_id, options=record.options)
    for sent in Producer(clients, settings).send([request]):
        if as_json:
            print_json({"id": capture_id, "url": record.url, "messageId": sent.message_id})
        else:
            click.echo(capture_id)
