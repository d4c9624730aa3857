"""Sending the request of a screenshot again."""

from __future__ import annotations

from stillframe.archive import Archive
from stillframe.clients import Clients
from stillframe.clock import Clock, SystemClock
from stillframe.producer import Producer, SentMessage
from stillframe.refused import NotRetryable, UnknownScreenshot
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options.access import has_redacted
from stillframe.settings import Settings
from stillframe.table import transitions
from stillframe.table.record import Record, Status
from stillframe.table.table import Table


def retry(screenshot_id: str, clients: Clients, settings: Settings, clock: Clock | None = None) -> SentMessage:
    """Send the request of a record again: of one that failed, or that has lost its message.

    A failed record becomes queued. One that is queued or processing is left as it is and only gets a new message.
    Raises UnknownScreenshot, NotRetryable, CallRefused or ServiceUnavailable.
    """
    record = Archive(clients, settings).record(screenshot_id)
    if record is None:
        raise UnknownScreenshot.of(screenshot_id)
    if record.status is Status.SUCCESS:
        raise NotRetryable(
            f"{screenshot_id} is already captured, and an id is captured once. To capture the page again, send it with "
            "a new id."
        )
    if has_redacted(record.options):
        raise NotRetryable(
            f"The request of {screenshot_id} contained secrets, which its record does not keep. To capture it, "
            "send it again with --request-id, or use secretArn."
        )
    request = CaptureRequest(
        url=record.url,
        request_id=screenshot_id,
        options=record.options,
        tenant=record.tenant,
        metadata=record.metadata or {},
        webhook=record.webhook,
    )
    return send_again(record, request, clients, settings, clock)


def send_again(
    record: Record, request: CaptureRequest, clients: Clients, settings: Settings, clock: Clock | None = None
) -> SentMessage:
    """Send a request again that has this record. Raises NotRetryable, CallRefused or ServiceUnavailable."""
    if record.status is Status.FAILED:
        _reset_to_queued(record, clients, settings, clock or SystemClock())
    (sent,) = Producer(clients, settings).send([request])
    return sent


def _reset_to_queued(record: Record, clients: Clients, settings: Settings, clock: Clock) -> None:
    """Change a failed record to queued, unless it has changed since it was read: a worker may have claimed it."""
    update = transitions.reset(record, clock.now_ms())
    if not Table(clients.dynamodb, settings.table_name).update(record.id, update).is_applied:
        raise NotRetryable(
            f"The record of {record.id} has changed in the meantime. Check it with `stillframe status {record.id}`."
        )
