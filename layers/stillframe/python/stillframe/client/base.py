"""What every client can do."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stillframe.request.capture_request import CaptureRequest
from stillframe.request.envelope import Webhook
from stillframe.table.record import Record, Status
from stillframe.waiting import Waiter

# How long `capture` and `wait` take at most, unless told otherwise, in seconds.
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that is on its way. `status` is what its record said when it was sent."""

    id: str
    status: Status


class CaptureFailed(Exception):
    """The page could not be captured: `record` has the code and the sentence."""

    def __init__(self, record: Record) -> None:
        super().__init__(f"{record.id}: {record.error_code}: {record.error_message}")
        self.record = record


class NotInTime(Exception):
    """The screenshot is not there yet. It will be: ask for it later by its id."""

    def __init__(self, screenshot_id: str, seconds: float) -> None:
        super().__init__(f"{screenshot_id} is not captured after {seconds:g} s")
        self.id = screenshot_id


class Client(ABC):
    """Sends requests and reads what came of them. May be used from several threads.

    A request with the same `id` is the same screenshot, however often it is sent. Without an `id`, the same URL with
    the same options is, or with `fresh_for` (seconds) the same within a window of that length.
    """

    def __init__(
        self, sleep: Callable[[float], Any] = time.sleep, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._waiter = Waiter(self.record, sleep, monotonic)

    def send(
        self,
        url: str,
        *,
        id: str | None = None,  # noqa: A002  # as the API and the records call it
        options: Mapping[str, Any] | None = None,
        fresh_for: int | None = None,
        metadata: Mapping[str, str] | None = None,
        tenant: str | None = None,
        webhook: Webhook | None = None,
    ) -> Sent:
        """Have a page captured, and return at once. Raises what `send_request` raises."""
        return self.send_request(
            CaptureRequest(
                url=url,
                request_id=id,
                options=dict(options or {}),
                fresh_for=fresh_for,
                metadata=dict(metadata or {}),
                tenant=tenant,
                webhook=webhook,
            )
        )

    @abstractmethod
    def send_request(self, request: CaptureRequest) -> Sent:
        """Send a request that is made already."""

    @abstractmethod
    def record(self, screenshot_id: str) -> Record:
        """What is known about a screenshot."""

    @abstractmethod
    def image(self, screenshot_id: str) -> bytes:
        """The image of a screenshot that was captured."""

    @abstractmethod
    def extra(self, screenshot_id: str, kind: str) -> bytes:
        """An extra object of a screenshot: `thumbnail`, `html`, `text`, `mhtml`, `har`, `element-1`, ..."""

    @abstractmethod
    def shot(self, screenshot_id: str, name: str) -> bytes:
        """A further image of a screenshot that was captured, by the name that its `shots` gave it."""

    def wait(self, screenshot_id: str, seconds: float = PATIENCE_SECONDS) -> Record:
        """The record once it is final, captured or failed. Raises NotInTime."""
        record = self._waiter.wait(screenshot_id, seconds)
        if record is None:
            raise NotInTime(screenshot_id, seconds)
        return record

    def capture(self, url: str, *, seconds: float = PATIENCE_SECONDS, **request: Any) -> bytes:
        """The image of a page: sends as `send` does, and waits. Raises CaptureFailed or NotInTime as well."""
        sent = self.send(url, **request)
        record = self.wait(sent.id, seconds)
        if record.status is Status.FAILED:
            raise CaptureFailed(record)
        return self.image(sent.id)
