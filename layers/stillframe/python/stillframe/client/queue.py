"""The client without the API: it writes to the queue and the table, and reads table and bucket."""

from __future__ import annotations

from stillframe.archive import Archive
from stillframe.client.base import Client, Sent
from stillframe.clients import Clients
from stillframe.clock import SystemClock
from stillframe.errors import CaptureError
from stillframe.intake import Intake
from stillframe.refused import NotCaptured
from stillframe.request.capture_request import CaptureRequest
from stillframe.settings import Settings
from stillframe.table.record import Record


class QueueClient(Client):
    """Needs the permissions of the stack's policies to send and to look, and the names of its resources.

    `QueueClient()` reads them from the environment: QUEUE_URL, DEAD_LETTER_QUEUE_URL, TABLE_NAME and BUCKET_NAME, as
    `stillframe dev` prints them and the stack outputs them. Methods raise CaptureError: the request is refused, or AWS
    does not do as asked.
    """

    def __init__(self, settings: Settings | None = None, clients: Clients | None = None) -> None:
        super().__init__()
        self._settings = settings or Settings.from_environment()
        self._clients = clients or Clients.connect()
        self._intake = Intake(self._clients, self._settings, SystemClock())
        self._archive = Archive(self._clients, self._settings)

    def send_request(self, request: CaptureRequest) -> Sent:
        (answer,) = self._intake.accept([request])
        if isinstance(answer, CaptureError):
            raise answer
        return Sent(answer.request.id, answer.status)

    def record(self, screenshot_id: str) -> Record:
        """Raises UnknownScreenshot."""
        return self._archive.require(screenshot_id)

    def image(self, screenshot_id: str) -> bytes:
        """Raises UnknownScreenshot or NotCaptured."""
        record = self.record(screenshot_id)
        if record.s3_key is None:
            raise NotCaptured(f"{screenshot_id} has no image: its status is {record.status.value}.")
        return self._archive.image(record)

    def extra(self, screenshot_id: str, kind: str) -> bytes:
        """Raises UnknownScreenshot or NotCaptured."""
        url = (self.record(screenshot_id).extras or {}).get(kind)
        if url is None:
            raise NotCaptured(f"{screenshot_id} has no {kind}.")
        return self._archive.object_at(url)

    def shot(self, screenshot_id: str, name: str) -> bytes:
        """Download a shot from the bucket. Raises UnknownScreenshot or NotCaptured."""
        shots = {shot.name: shot for shot in self.record(screenshot_id).shots or ()}
        if name not in shots:
            raise NotCaptured(f"{screenshot_id} has no shot {name}.")
        return self._archive.object_at(shots[name].s3_url)
