"""`cleanup`: empty the queue, the table or the bucket."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import click
from botocore.exceptions import ClientError

from stillframe.clients import Clients
from stillframe.settings import Settings
from stillframe.table.attributes import ID
from stillframe.tenants import key_store, usage

from ..backlog import message_counts
from ..bucket_listing import stored_objects
from ..console import json_option, print_json, print_note
from ..resources import describe_place, resource_options

# BatchWriteItem takes 25 requests; DeleteObjects takes 1,000 keys, as many as a page of the listing has.
ITEMS_PER_BATCH = 25
# Without its keys, the API would let no tenant in; without its usage, a tenant could spend its quota again.
KEPT_PREFIXES = (key_store.PREFIX, usage.PREFIX)
# Counting more would take many pages of the listing.
MAX_COUNTED = 10_000


@click.command("cleanup")
@click.option("--all", "everything", is_flag=True, help="Empty the queues, the table and the bucket.")
@click.option("--queue", is_flag=True, help="Purge the queue and the dead-letter queue.")
@click.option("--table", is_flag=True, help="Delete all records.")
@click.option("--bucket", is_flag=True, help="Delete all images and extra objects, with all of their versions.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@resource_options
@json_option
def command(
    everything: bool,
    queue: bool,
    table: bool,
    bucket: bool,
    yes: bool,
    settings: Settings,
    clients: Clients,
    as_json: bool,
) -> None:
    """Delete all messages, records or images permanently.

    Shows account, region and counts, and asks for confirmation first.

    \b
    Example:
      stillframe cleanup --queue --stack Stillframe-test
    """
    if not (everything or queue or table or bucket):
        raise click.UsageError("Choose what to empty: --all, --queue, --table or --bucket.")
    chosen = {"queue": everything or queue, "table": everything or table, "bucket": everything or bucket}
    if not yes:
        print_note(f"This deletes for ever, in {describe_place(settings)}:")
        for line in _describe(chosen, settings, clients):
            print_note(f"  {line}")
        click.confirm("Go on?", abort=True, err=True)
    deleted: dict[str, int | bool] = {}
    if chosen["queue"]:
        deleted["queuePurged"] = _purge_queues(clients, settings)
    if chosen["table"]:
        deleted["records"] = _empty_table(clients, settings)
    if chosen["bucket"]:
        deleted["objectVersions"] = _empty_bucket(clients, settings)
    if as_json:
        print_json(deleted)
    else:
        print_note("deleted: " + ", ".join(f"{name} {value}" for name, value in deleted.items()))


def _describe(chosen: dict[str, bool], settings: Settings, clients: Clients) -> Iterator[str]:
    """What is deleted, with its count, so that nobody empties the wrong deployment."""
    if chosen["queue"]:
        for name, url in (("queue", settings.queue_url), ("dead-letter queue", settings.dead_letter_queue_url)):
            count = sum(message_counts(clients, url))
            yield f"{count:,} {'message' if count == 1 else 'messages'} on the {name} {url}"
    if chosen["table"]:
        # Exact and free, but up to six hours old (DynamoDB, DescribeTable).
        count = clients.dynamodb.describe_table(TableName=settings.table_name)["Table"].get("ItemCount", 0)
        yield f"all records of the table {settings.table_name} (about {count:,}; keys and usage of tenants stay)"
    if chosen["bucket"]:
        found = list(itertools.islice(stored_objects(clients, settings), MAX_COUNTED + 1))
        count_text = f"over {MAX_COUNTED:,}" if len(found) > MAX_COUNTED else f"{len(found):,}"
        yield f"{count_text} objects under {settings.key_prefix}/ in the bucket {settings.bucket_name}"


def _purge_queues(clients: Clients, settings: Settings) -> bool:
    for url in (settings.queue_url, settings.dead_letter_queue_url):
        try:
            clients.sqs.purge_queue(QueueUrl=url)
        except ClientError as error:
            # SQS allows one purge every 60 seconds.
            if "PurgeQueueInProgress" not in error.response["Error"]["Code"]:
                raise
    return True


def _empty_table(clients: Clients, settings: Settings) -> int:
    count = 0
    pages = clients.dynamodb.get_paginator("scan").paginate(TableName=settings.table_name, ProjectionExpression=ID)
    for page in pages:
        keys = [key for key in page["Items"] if not key[ID]["S"].startswith(KEPT_PREFIXES)]
        for start in range(0, len(keys), ITEMS_PER_BATCH):
            pending: Any = {
                settings.table_name: [{"DeleteRequest": {"Key": key}} for key in keys[start : start + ITEMS_PER_BATCH]]
            }
            while pending:
                pending = clients.dynamodb.batch_write_item(RequestItems=pending).get("UnprocessedItems")
        count += len(keys)
        print_note(f"cleanup: {count} records")
    return count


def _empty_bucket(clients: Clients, settings: Settings) -> int:
    count = 0
    pages = clients.s3.get_paginator("list_object_versions").paginate(
        Bucket=settings.bucket_name, Prefix=f"{settings.key_prefix}/"
    )
    for page in pages:
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if not versions:
            continue
        keys: list[Any] = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in versions]
        answer = clients.s3.delete_objects(Bucket=settings.bucket_name, Delete={"Objects": keys, "Quiet": True})
        errors = answer.get("Errors", [])
        if errors:
            raise click.ClickException(f"S3 did not delete {len(errors)} versions: {errors[0].get('Message')}")
        count += len(versions)
        print_note(f"cleanup: {count} object versions")
    return count
