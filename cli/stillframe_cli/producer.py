"""The producer: records requests as queued, then sends them in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import click

from stillframe.clients import Clients
from stillframe.clock import Clock, SystemClock
from stillframe.request.capture_request import CaptureRequest
from stillframe.settings import Settings
from stillframe.table import transitions
from stillframe.table.record import Record
from stillframe.table.table import Table

# SendMessageBatch takes at most 10 messages.
BATCH_SIZE = 10
WRITERS = 8


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A request that is on the queue, and the id that SQS gave its message."""

    request: CaptureRequest
    message_id: str


class Producer:
    """Sends requests. The record is written first, so that every message has one."""

    def __init__(
        self,
        clients: Clients,
        settings: Settings,
        clock: Clock | None = None,
        new_pool: Callable[[], Executor] = lambda: ThreadPoolExecutor(WRITERS),
        tenant: str | None = None,
        refuses_conflicts: bool = False,
    ) -> None:
        """With `refuses_conflicts`, an id that belongs to another request is refused here, and not by a worker."""
        self._clients = clients
        self._settings = settings
        self._table = Table(clients.dynamodb, settings.table_name)
        self._clock = clock or SystemClock()
        self._new_pool = new_pool
        self._tenant = tenant
        self._refuses_conflicts = refuses_conflicts

    def send(self, requests: Iterable[CaptureRequest]) -> Iterator[SentMessage]:
        """Send all requests and yield each once SQS accepts it.

        Raises click.ClickException when SQS refuses one, or when an id belongs to another request.
        """
        with self._new_pool() as pool:
            for batch in _chunks(map(self._prepared, requests), BATCH_SIZE):
                self._refuse_conflicts(list(pool.map(self._write_queued, batch)))
                yield from self._send_batch(batch)

    def _prepared(self, request: CaptureRequest) -> CaptureRequest:
        """A request without a tenant belongs to the producer's, and one with `freshFor` to the present window."""
        named = request.named(self._clock.now_ms())
        if self._tenant is None or named.tenant is not None:
            return named
        return named.model_copy(update={"tenant": self._tenant})

    def _write_queued(self, request: CaptureRequest) -> Record | None:
        """Record the request as queued. Returns the record of another request that has its id, if there is one."""
        # For a duplicate the condition does not hold: what is known about the id is kept.
        queued = transitions.queue(request, self._clock.now_ms(), self._settings.record_retention_seconds)
        written = self._table.update(request.id, queued, return_old=self._refuses_conflicts)
        if written.is_applied or written.item is None:
            return None
        found = Record.model_validate(written.item)
        return found if found.payload_hash and found.payload_hash != request.payload_hash else None

    def _refuse_conflicts(self, found: list[Record | None]) -> None:
        conflicts = [each for each in found if each is not None]
        if self._refuses_conflicts and conflicts:
            first = conflicts[0]
            raise click.ClickException(
                f"The id {first.id} belongs to another request already: {first.url}, {first.status.value}, with other "
                "options or another URL. An id is used once: choose another --request-id."
            )

    def _send_batch(self, batch: list[CaptureRequest]) -> Iterator[SentMessage]:
        entries: list[Any] = [
            {"Id": str(number), "MessageBody": request.to_body(), **_group_of(request)}
            for number, request in enumerate(batch)
        ]
        answer = self._clients.sqs.send_message_batch(QueueUrl=self._settings.queue_url, Entries=entries)
        for entry in answer.get("Successful", []):
            yield SentMessage(batch[int(entry["Id"])], entry["MessageId"])
        failed = answer.get("Failed", [])
        if failed:
            urls = ", ".join(batch[int(entry["Id"])].recorded_url for entry in failed)
            raise click.ClickException(f"SQS refused {len(failed)} messages ({failed[0].get('Message')}): {urls}")


def _group_of(request: CaptureRequest) -> dict[str, Any]:
    """On a standard queue, the message group names the tenant.

    When one tenant sends many messages, SQS delivers those of the others first ("Amazon SQS fair queues").
    """
    return {"MessageGroupId": request.tenant} if request.tenant else {}


def _chunks(items: Iterable[CaptureRequest], size: int) -> Iterator[list[CaptureRequest]]:
    chunk: list[CaptureRequest] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
