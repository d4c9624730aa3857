"""The producer: writes `queued`, then sends, in batches."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any

import click
from botocore.exceptions import ClientError

from stillframe.clients import Clients
from stillframe.clock import Clock, SystemClock
from stillframe.errors import CaptureError
from stillframe.request.capture_request import CaptureRequest
from stillframe.settings import Settings
from stillframe.table.record import PARTITION_KEY, queued_item
from stillframe.table.update import is_conditional_failure

# SendMessageBatch takes at most 10 messages.
BATCH_SIZE = 10
WRITERS = 8


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that is on the queue; `message_id` is what SQS calls it."""

    request: CaptureRequest
    message_id: str


class Producer:
    """Sends requests. The record comes first, so that a message is never without one to look at."""

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
        self._clock = clock or SystemClock()
        self._new_pool = new_pool
        # Of a standard queue, the group is whose message it is: SQS then delivers the others first when one sends many
        # ("Amazon SQS fair queues").
        self._group: dict[str, Any] = {"MessageGroupId": tenant} if tenant else {}

    def send(self, requests: Iterable[CaptureRequest]) -> Iterator[Sent]:
        """Send all, yielding each as SQS accepts it. Raises click.ClickException when SQS refuses one."""
        with self._new_pool() as pool:
            for batch in _chunks(requests, BATCH_SIZE):
                list(pool.map(self._write_queued, batch))
                yield from self._send_batch(batch)

    def _write_queued(self, request: CaptureRequest) -> None:
        item = queued_item(request, self._clock.now_ms(), self._settings.record_retention_seconds)
        try:
            self._clients.dynamodb.put_item(
                TableName=self._settings.table_name,
                Item=item,
                ConditionExpression=f"attribute_not_exists({PARTITION_KEY})",
            )
        except ClientError as error:
            # A duplicate: what is known of the id stays known.
            if not is_conditional_failure(error):
                raise

    def _send_batch(self, batch: list[CaptureRequest]) -> Iterator[Sent]:
        entries: list[Any] = [
            {"Id": str(number), "MessageBody": request.to_body(), **self._group} for number, request in enumerate(batch)
        ]
        answer = self._clients.sqs.send_message_batch(QueueUrl=self._settings.queue_url, Entries=entries)
        for entry in answer.get("Successful", []):
            yield Sent(batch[int(entry["Id"])], entry["MessageId"])
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
    """Requests from arguments and from a file with a url or a JSON request a line; `#` starts a comment.

    Without `request_id` or `once` every line gets a fresh id: sending a page again is a new screenshot.
    Raises click.UsageError that names the line.
    """
    lines = [(f"argument {number}", url) for number, url in enumerate(urls, 1)]
    if file is not None:
        stripped = ((number, line.strip()) for number, line in enumerate(file, 1))
        lines += [(f"line {number}", line) for number, line in stripped if line and not line.startswith("#")]
    if not lines:
        raise click.UsageError("nothing to capture: give a URL, or --file with one on each line")
    if request_id is not None and len(lines) > 1:
        raise click.UsageError("--request-id names one screenshot, but there are several URLs")
    return [_request(where, line, options, request_id, once) for where, line in lines]


def parse_options(text: str | None) -> dict[str, Any]:
    """The JSON object of `--options`. Raises click.UsageError."""
    try:
        options = json.loads(text or "{}")
    except ValueError as error:
        raise click.UsageError(f"--options is not JSON: {error}") from error
    if not isinstance(options, dict):
        raise click.UsageError('--options must be a JSON object, for example {"fullPage": true}')
    return options


def _request(where: str, line: str, options: dict[str, Any], request_id: str | None, once: bool) -> CaptureRequest:
    body: dict[str, Any] = {"url": line}
    if line.startswith("{"):
        try:
            body = json.loads(line)
        except ValueError as error:
            raise click.UsageError(f"{where}: is not JSON: {error}") from error
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


def _chunks(items: Iterable[CaptureRequest], size: int) -> Iterator[list[CaptureRequest]]:
    chunk: list[CaptureRequest] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
