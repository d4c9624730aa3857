"""The producer: records requests as queued, then sends them in batches."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from stillframe.clients import Clients
from stillframe.clock import Clock, SystemClock
from stillframe.errors import CallRefused, IdConflict
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.message_limits import MAX_MESSAGE_BYTES
from stillframe.settings import Settings
from stillframe.table import transitions
from stillframe.table.record import Record
from stillframe.table.table import Table, Written

# SendMessageBatch takes at most 10 messages, and 1 MiB of them together.
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
        """Record all requests and send them; yields each once SQS accepts it.

        Raises CallRefused when SQS refuses one, and IdConflict when an id belongs to another request. Raises
        ServiceUnavailable, ClientError or BotoCoreError when AWS does not do as asked.
        """
        with self._new_pool() as pool:
            for batch in _chunks(map(self._prepared, requests), BATCH_SIZE):
                # For a duplicate the condition does not hold: what is known about the id is kept.
                written = list(pool.map(self.record, batch))
                if self._refuses_conflicts:
                    _refuse_conflicts(batch, written)
                refused: list[tuple[CaptureRequest, str]] = []
                for request, result in self.deliver(batch):
                    if isinstance(result, SentMessage):
                        yield result
                    else:
                        refused.append((request, result.message))
                if refused:
                    urls = ", ".join(request.recorded_url for request, _ in refused)
                    raise CallRefused(f"SQS refused {len(refused)} messages ({refused[0][1]}): {urls}")

    def record(self, request: CaptureRequest) -> Written:
        """Write the record as queued, unless there is one. The result has the record that is in the way."""
        queued = transitions.queue(request, self._clock.now_ms(), self._settings.record_retention_seconds)
        return self._table.update(request.id, queued, return_old=True)

    def deliver(self, requests: Iterable[CaptureRequest]) -> Iterator[tuple[CaptureRequest, SentMessage | CallRefused]]:
        """Send the messages of requests that have a record, in batches, and yield how each ended.

        Raises ClientError or BotoCoreError.
        """
        for batch in _batches(requests):
            entries: list[Any] = [
                {"Id": str(number), "MessageBody": body, **_group_of(request)}
                for number, (request, body) in enumerate(batch)
            ]
            answer = self._clients.sqs.send_message_batch(QueueUrl=self._settings.queue_url, Entries=entries)
            for entry in answer.get("Successful", []):
                request = batch[int(entry["Id"])][0]
                yield request, SentMessage(request, entry["MessageId"])
            for failed in answer.get("Failed", []):
                yield batch[int(failed["Id"])][0], CallRefused(f"{failed.get('Message', failed['Code'])}")

    def _prepared(self, request: CaptureRequest) -> CaptureRequest:
        """A request without a tenant belongs to the producer's, and one with `freshFor` to the present window."""
        named = request.named(self._clock.now_ms())
        if self._tenant is None or named.tenant is not None:
            return named
        return named.model_copy(update={"tenant": self._tenant})


def _refuse_conflicts(requests: Iterable[CaptureRequest], written: Iterable[Written]) -> None:
    for request, each in zip(requests, written, strict=True):
        if each.is_applied or each.item is None:
            continue
        found = Record.model_validate(each.item)
        if found.payload_hash not in (None, request.payload_hash):
            raise IdConflict(
                f"the id {found.id} belongs to another request already: {found.url}, {found.status.value}, with other "
                "options or another URL. An id is used once: choose another requestId"
            )


def _group_of(request: CaptureRequest) -> dict[str, Any]:
    """On a standard queue, the message group names the tenant.

    When one tenant sends many messages, SQS delivers those of the others first ("Amazon SQS fair queues").
    """
    return {"MessageGroupId": request.tenant} if request.tenant else {}


def _batches(requests: Iterable[CaptureRequest]) -> Iterator[list[tuple[CaptureRequest, str]]]:
    """Requests with their bodies, in batches that SQS accepts: by number, and by the bytes of all bodies together."""
    batch: list[tuple[CaptureRequest, str]] = []
    size = 0
    for request in requests:
        body = request.to_body()
        length = len(body.encode())
        if batch and (len(batch) == BATCH_SIZE or size + length > MAX_MESSAGE_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((request, body))
        size += length
    if batch:
        yield batch


def _chunks(items: Iterable[CaptureRequest], size: int) -> Iterator[list[CaptureRequest]]:
    """The items in lists of this many, as soon as each is full."""
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk
