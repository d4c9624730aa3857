"""What does not follow the page's clock: sockets, event streams and workers, from when the page opens them.

Their messages take real time, and the first one comes only when they are open: after a handshake, or once a worker's
script has been loaded and has run.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

from pyppeteer.connection import CDPSession

from ..chromium.transport import PipeConnection

# They get as much real time as networkidle would give them, from when they are open.
EXTERNAL_SECONDS = 0.5
# What is not open by then may never be.
OPENING_SECONDS = 3.0
WORKERS = frozenset({"worker", "service_worker", "shared_worker"})


class External:
    """Listens to the sessions of one page."""

    def __init__(self, connection: PipeConnection) -> None:
        self._connection = connection
        # When each was begun, by the id of its request or session; a worker's script by its URL until it runs.
        self._opening: dict[str, float] = {}
        # When one was last begun or opened, or a frame of another site attached; 0 if none was.
        self._since = 0.0
        self._waited_for = 0.0
        self._changed = asyncio.Event()

    def listen(self, session: CDPSession) -> None:
        """Notice what the page opens in the frames of this session."""
        session.on("Network.webSocketCreated", lambda event: self._begin(event["requestId"]))
        session.on("Network.requestWillBeSent", self._on_request)
        for name in ("webSocketHandshakeResponseReceived", "webSocketClosed", "responseReceived", "loadingFailed"):
            session.on(f"Network.{name}", lambda event: self._end(event["requestId"]))
        session.on("Target.attachedToTarget", self._on_target)
        session.on("Target.detachedFromTarget", lambda event: self._end(event["sessionId"]))

    async def wait(self) -> None:
        """Wait for what the page has opened since the last call, and for what it says at once. Takes 3.5 s at most."""
        if self._since > self._waited_for:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(OPENING_SECONDS + EXTERNAL_SECONDS):
                    await self._wait()
        self._waited_for = self._since

    async def _wait(self) -> None:
        while (left := self._seconds_left()) > 0:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._changed.wait()

    def _seconds_left(self) -> float:
        now = time.monotonic()
        ends = [began + OPENING_SECONDS for began in self._opening.values()]
        return max([self._since + EXTERNAL_SECONDS, *ends]) - now

    def _on_request(self, event: dict[str, Any]) -> None:
        if event.get("type") == "EventSource":
            self._begin(event["requestId"])
        elif is_worker_script(event):
            self._begin(event["request"]["url"])

    def _on_target(self, event: dict[str, Any]) -> None:
        """A worker is attached before its script has run, or a service worker before its script was loaded."""
        kind, session_id = event["targetInfo"]["type"], event["sessionId"]
        self._end(event["targetInfo"]["url"])
        self._note()
        if kind in WORKERS:
            self._begin(session_id)
            answer = self._connection.adopt(kind, session_id).send("Runtime.evaluate", {"expression": "0"})
            answer.add_done_callback(lambda _: self._end(session_id))

    def _begin(self, key: str) -> None:
        self._opening[key] = time.monotonic()
        self._note()

    def _end(self, key: str) -> None:
        if self._opening.pop(key, None) is not None:
            self._note()

    def _note(self) -> None:
        self._since = time.monotonic()
        self._changed.set()


def is_worker_script(event: dict[str, Any]) -> bool:
    """Whether a request is for a worker's own script. The page's session is not told how such a request ends."""
    return event.get("type") == "Script" and not event.get("loaderId")
