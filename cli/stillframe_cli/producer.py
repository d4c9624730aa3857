"""The producer: records requests as queued, then sends them in batches."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any

import click

from stillframe.clients import Clients
from stillframe.clock import Clock, SystemClock
from stillframe.errors import CaptureError
from stillframe.request.capture_request import CaptureRequest
from stillframe.settings import Settings
from stillframe.table import transitions
from stillframe.table.table import Table

# SendMessageBatch takes at most 10 messages.
BATCH_SIZE = 10
WRITERS = 8


file_option = click.option(
    "--file",
    "file",
    type=click.File(encoding="utf-8"),
    help="Read URLs or JSON requests from this file, one per line; - reads stdin.",
)


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
    ) -> None:
        self._clients = clients
        self._settings = settings
        self._table = Table(clients.dynamodb, settings.table_name)
        self._clock = clock or SystemClock()
        self._new_pool = new_pool
        self._tenant = tenant

    def send(self, requests: Iterable[CaptureRequest]) -> Iterator[SentMessage]:
        """Send all requests and yield each once SQS accepts it. Raises click.ClickException when SQS refuses one."""
        with self._new_pool() as pool:
            for batch in _chunks(map(self._with_tenant, requests), BATCH_SIZE):
                list(pool.map(self._write_queued, batch))
                yield from self._send_batch(batch)

    def _with_tenant(self, request: CaptureRequest) -> CaptureRequest:
        """A request without a tenant belongs to the producer's."""
        if self._tenant is None or request.tenant is not None:
            return request
        return request.model_copy(update={"tenant": self._tenant})

    def _write_queued(self, request: CaptureRequest) -> None:
        # For a duplicate the condition does not hold: what is known about the id is kept.
        queued = transitions.queue(request, self._clock.now_ms(), self._settings.record_retention_seconds)
        self._table.update(request.id, queued)

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


def read_requests(
    urls: Iterable[str],
    file: IO[str] | None,
    options: dict[str, Any],
    request_id: str | None = None,
    once: bool = False,
) -> list[CaptureRequest]:
    """Read requests from arguments, and from a file with one URL or JSON request per line; `#` starts a comment.

    Without `request_id` and `once`, a request without an id gets a new one, so that sending a page again is a new
    screenshot. Raises click.UsageError that names the argument or the line.
    """
    lines = [(f"argument {number}", url) for number, url in enumerate(urls, 1)]
    if file is not None:
        stripped = ((number, line.strip()) for number, line in enumerate(file, 1))
        lines += [(f"line {number}", line) for number, line in stripped if line and not line.startswith("#")]
    if not lines:
        raise click.UsageError("There is nothing to capture: give a URL, or use --file with one URL per line.")
    if request_id is not None and len(lines) > 1:
        raise click.UsageError("--request-id names one screenshot, but there are several URLs.")
    return [_parse_request(where, line, options, request_id, once) for where, line in lines]


def parse_options(text: str | None) -> dict[str, Any]:
    """Parse the JSON object of `--options`. Raises click.UsageError."""
    try:
        options = json.loads(text or "{}")
    except ValueError as error:
        raise click.UsageError(f"--options is not JSON: {error}") from error
    if not isinstance(options, dict):
        raise click.UsageError('--options must be a JSON object, for example {"fullPage": true}')
    return options


def _parse_request(
    where: str, line: str, options: dict[str, Any], request_id: str | None, once: bool
) -> CaptureRequest:
    body: dict[str, Any] = {"url": line}
    if line.startswith("{"):
        try:
            body = json.loads(line)
        except ValueError as error:
            raise click.UsageError(f"{where} is not JSON: {error}") from error
    body["options"] = {**options, **body.get("options", {})}
    if request_id is not None:
        body["requestId"] = request_id
    elif "requestId" not in body and not once:
        body["requestId"] = uuid.uuid4().hex
    try:
        request = CaptureRequest.from_body(json.dumps(body))
        request.render_options()
    except CaptureError as error:
        raise click.UsageError(f"{where}: {error.message}") from error
    return request


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
