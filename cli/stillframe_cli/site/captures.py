"""Sends the requests of pages, and reads what became of them: all that a crawl asks of a deployment."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from stillframe.archive import Archive
from stillframe.clients import Clients
from stillframe.errors import CaptureError, TransientError
from stillframe.intake import Intake
from stillframe.refused import NotRetryable
from stillframe.request.capture_request import CaptureRequest
from stillframe.retry import send_again
from stillframe.settings import Settings
from stillframe.table.record import Record, Status
from stillframe.waiting import FINAL

from .frontier import Page

# As many as BatchGetItem takes, and one call of the API.
BATCH = 100


class Captures(Protocol):
    """Captures pages, each once."""

    def send(self, pages: Sequence[Page]) -> list[tuple[Page, CaptureError]]:
        """Have the pages captured, and return those that never will be."""

    def ended(self, pages: Sequence[Page]) -> dict[Page, Record]:
        """The records of those that have ended, in the order of the pages."""


class SentCaptures:
    """Captures by the queue of a deployment. A page has the same id however often it is sent."""

    def __init__(
        self, clients: Clients, settings: Settings, options: dict[str, Any], run: str, retries_failed: bool = False
    ) -> None:
        """With `retries_failed`, a page that has failed in this run before is captured once more."""
        self._clients = clients
        self._settings = settings
        self._retries_failed = retries_failed
        self._intake = Intake(clients, settings)
        self._archive = Archive(clients, settings)
        self._options = options
        self._run = run

    def send(self, pages: Sequence[Page]) -> list[tuple[Page, CaptureError]]:
        """Raises a TransientError when AWS does not do as asked: what was sent is sent, and the rest can be again."""
        refused = []
        for batch in _batches(pages):
            requests = [
                CaptureRequest(url=page.url, request_id=page.id(self._run), options=self._options) for page in batch
            ]
            for page, request, answer in zip(batch, requests, self._intake.accept(requests), strict=True):
                if isinstance(answer, TransientError):
                    raise answer
                if isinstance(answer, CaptureError):
                    refused.append((page, answer))
                elif answer.status is Status.FAILED and self._retries_failed:
                    self._send_again(request)
        return refused

    def ended(self, pages: Sequence[Page]) -> dict[Page, Record]:
        """Raises ClientError or BotoCoreError."""
        found: dict[Page, Record] = {}
        for batch in _batches(pages):
            records = self._archive.records_by_id([page.id(self._run) for page in batch])
            for page in batch:
                record = records.get(page.id(self._run))
                if record is not None and record.status in FINAL:
                    found[page] = record
        return found

    def _send_again(self, request: CaptureRequest) -> None:
        record = self._archive.record(request.id)
        # Somebody else may have done so in the meantime.
        if record is not None and record.status is Status.FAILED:
            with contextlib.suppress(NotRetryable):
                send_again(record, request, self._clients, self._settings)


def _batches(pages: Sequence[Page]) -> Iterator[Sequence[Page]]:
    for start in range(0, len(pages), BATCH):
        yield pages[start : start + BATCH]
