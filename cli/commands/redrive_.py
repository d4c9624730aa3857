"""`redrive`: dead letters back to the queue."""

from __future__ import annotations

from typing import Any

import click

from stillframe.clients import Clients
from stillframe.settings import Settings

from ..console import json_option, note, print_json
from ..resources import resource_options

BATCH_SIZE = 10


@click.command("redrive")
@click.option("--max", "limit", type=click.IntRange(1), help="Bring back at most that many.")
@resource_options
@json_option
def command(limit: int | None, settings: Settings, clients: Clients, as_json: bool) -> None:
    """Send dead letters to the queue again, each deleted only after it was sent.

    Messages that carry a reason of their own (a body that is no request, an id conflict) stay: as they are
    they can only fail again. They are counted and left for a person.
    """
    moved, kept = _redrive(clients, settings, limit)
    if as_json:
        print_json({"moved": moved, "kept": kept})
    else:
        note(f"{moved} messages moved to the queue, {kept} left that carry a reason")


def _redrive(clients: Clients, settings: Settings, limit: int | None) -> tuple[int, int]:
    moved = 0
    kept: set[str] = set()
    while limit is None or moved < limit:
        messages = clients.sqs.receive_message(
            QueueUrl=settings.dead_letter_queue_url,
            MaxNumberOfMessages=min(BATCH_SIZE, limit - moved) if limit else BATCH_SIZE,
            WaitTimeSeconds=1,
            VisibilityTimeout=60,
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not messages:
            break
        for message in messages:
            if "errorCode" in message.get("MessageAttributes", {}):
                kept.add(message["MessageId"])
            else:
                _move(clients, settings, message)
                moved += 1
                note(f"[{moved}] {message['MessageId']}")
    return moved, len(kept)


def _move(clients: Clients, settings: Settings, message: Any) -> None:
    clients.sqs.send_message(
        QueueUrl=settings.queue_url,
        MessageBody=message["Body"],
        MessageAttributes=message.get("MessageAttributes", {}),
    )
    clients.sqs.delete_message(QueueUrl=settings.dead_letter_queue_url, ReceiptHandle=message["ReceiptHandle"])
