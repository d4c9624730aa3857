"""What does not follow the page's clock: sockets, event streams and workers, from when the page opens them.

Their messages take real time, and the first one comes only when they are open: after a handshake, or once a worker's
script has been loaded and has run.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyppeteer.connection import CDPSession
from pyppeteer.errors import NetworkError

from ..chromium.transport import PipeSession
from .targets import SERVICE_WORKER, WORKERS, Targets

# They get as much real time as networkidle would give them, from when they are open.
EXTERNAL_SECONDS = 0.5
# What is not open by then may never be.
OPENING_SECONDS = 3.0
# So many times they are waited for. A page may open them without an end.
MAX_WAITS = 3
# A worker that takes longer than this for a turn of its event loop is at work.
BUSY_SECONDS = 0.1
# Kept after the turn in which it is asked. Timers would follow the page's clock.
TURN = """new Promise(done => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => done(0);
  channel.port2.postMessage(0);
})"""


@dataclass(frozen=True, slots=True)
class Opening:
    """One that is not open yet. `began` is in seconds of the monotonic clock."""

    url: str
    began: float


class External:
    """Listens to the sessions of one page."""

    def __init__(self, targets: Targets, give_up: Callable[[str], None]) -> None:
        """`give_up` is called with the URL of what was waited for in vain."""
        self._give_up = give_up
        # By the id of its request or session; a worker's script by its URL until it runs.
        self._opening: dict[str, Opening] = {}
        # The URLs of workers. A shared one is there before its script is requested.
        self._attached: set[str] = set()
        self._workers: dict[str, tuple[PipeSession, str]] = {}
        # When something was last begun, opened or answered, or a frame of another site attached; 0 if nothing was.
        self._since = 0.0
        self._waited_for = 0.0
        self._waits = 0
        self._changed = asyncio.Event()
        # Time stands still for a service worker as well while its page is loading, if only from that worker.
        self.has_service_worker = False
        targets.after_start(self._on_target)

    @property
    def has_begun(self) -> bool:
        """Whether the page has anything that does not follow its clock."""
        return self._since > 0

    def listen(self, session: CDPSession) -> None:
        """Notice what the page or one of its workers opens in this session."""
        session.on("Network.webSocketCreated", lambda event: self._begin(event["requestId"], event["url"]))
        session.on("Network.requestWillBeSent", self._on_request)
        for name in ("webSocketHandshakeResponseReceived", "webSocketClosed", "responseReceived", "loadingFailed"):
            session.on(f"Network.{name}", lambda event: self._end(event["requestId"]))
        session.on("Target.detachedFromTarget", lambda event: self._on_detached(event["sessionId"]))

    async def wait(self) -> None:
        """Wait for what the page has opened since the last call, and for what it says at once. Takes 3.5 s at most."""
        for session, url in self._workers.values():
            self._ask(session, url)
        if self._since > self._waited_for or self._opening:
            self._waits += self._since > self._waited_for and bool(self._opening)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(OPENING_SECONDS + EXTERNAL_SECONDS):
                    await self._wait()
        self._waited_for = self._since
        now = time.monotonic()
        for key, opening in list(self._opening.items()):
            if now - opening.began >= OPENING_SECONDS:
                del self._opening[key]
                self._give_up(opening.url)

    def give_up_all(self) -> None:
        """Stop waiting for anything."""
        for opening in self._opening.values():
            self._give_up(opening.url)
        self._opening.clear()

    def begin_script(self, url: str) -> None:
        """A worker's own script is being requested."""
        if url not in self._attached:
            self._begin(url, url)

    def note(self) -> None:
        """Something has happened that may be followed by more."""
        self._since = time.monotonic()
        self._changed.set()

    async def _wait(self) -> None:
        while (left := self._seconds_left()) > 0:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._changed.wait()

    def _seconds_left(self) -> float:
        now = time.monotonic()
        ends = [opening.began + OPENING_SECONDS for opening in self._opening.values()]
        return max([self._since + EXTERNAL_SECONDS, *ends]) - now

    def _on_request(self, event: dict[str, Any]) -> None:
        url = event["request"]["url"]
        if event.get("type") == "EventSource":
            self._begin(event["requestId"], url)

    def _on_target(self, kind: str, session: PipeSession, url: str) -> None:
        """A worker is attached before its script has run, or before it was loaded (all but dedicated workers)."""
        self._attached.add(url)
        self._end(url)
        self.has_service_worker |= kind == SERVICE_WORKER
        self.note()
        if kind in WORKERS:
            self._workers[session._sessionId] = (session, url)
            self._ask(session, url)

    def _on_detached(self, session_id: str) -> None:
        self._workers.pop(session_id, None)
        self._end(session_id)

    def _ask(self, session: PipeSession, url: str) -> None:
        """Ask a worker for a turn of its event loop, which it has once its script has run, and while it is not busy."""
        key = session._sessionId
        if key in self._opening or self._waits >= MAX_WAITS:
            return
        began = time.monotonic()
        self._opening[key] = Opening(url, began)

        def on_answer(answer: asyncio.Future[Any]) -> None:
            if self._opening.pop(key, None) is not None and time.monotonic() - began > BUSY_SECONDS:
                self.note()
            self._changed.set()

        try:
            session.send("Runtime.evaluate", {"expression": TURN, "awaitPromise": True}).add_done_callback(on_answer)
        except NetworkError:
            del self._opening[key]

    def _begin(self, key: str, url: str) -> None:
        if self._waits < MAX_WAITS:
            self._opening[key] = Opening(url, time.monotonic())
            self.note()

    def _end(self, key: str) -> None:
        if self._opening.pop(key, None) is not None:
            self.note()
