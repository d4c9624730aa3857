"""What a page loads: what is under way, what failed, how much it was."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from pyppeteer.connection import CDPSession

# They stay open for as long as the page likes.
NEVER_DONE = frozenset({"WebSocket", "EventSource", "Ping", "Media", "TextTrack", "Prefetch"})
# The fifth request for the same resource is polling, of which there is no end.
POLLS_AFTER = 4


class Traffic:
    """Listens to one tab from its creation on. Times are of the monotonic clock, in seconds."""

    def __init__(self, session: CDPSession) -> None:
        self.pending: set[str] = set()
        self.started = 0
        self.requests = 0
        self.bytes = 0
        self.failed = 0
        self.last_heard = time.monotonic()
        # When a socket or a worker was opened last; long ago, if there is none.
        self.outside_since = 0.0
        self._asked: Counter[str] = Counter()
        session.on("Network.requestWillBeSent", self._on_request)
        session.on("Network.responseReceived", self._on_sign)
        session.on("Network.dataReceived", self._on_sign)
        session.on("Network.loadingFinished", self._on_finished)
        session.on("Network.loadingFailed", self._on_failed)
        session.on("Network.webSocketCreated", self._on_outside)
        session.on("Target.attachedToTarget", self._on_outside)

    def forget_pending(self) -> None:
        """Stop waiting for what is under way."""
        self.pending.clear()

    def _on_request(self, event: dict[str, Any]) -> None:
        self.last_heard = time.monotonic()
        self.requests += 1
        kind = event.get("type", "")
        if kind in NEVER_DONE:
            if kind == "EventSource":
                self.outside_since = self.last_heard
            return
        parts = urlsplit(event["request"]["url"])
        if parts.scheme not in ("http", "https"):
            return
        resource = f"{parts.netloc}{parts.path}"
        self._asked[resource] += 1
        if self._asked[resource] > POLLS_AFTER and kind in ("XHR", "Fetch"):
            return
        self.started += 1
        self.pending.add(event["requestId"])

    def _on_sign(self, _: dict[str, Any]) -> None:
        self.last_heard = time.monotonic()

    def _on_finished(self, event: dict[str, Any]) -> None:
        self.last_heard = time.monotonic()
        self.bytes += int(event.get("encodedDataLength", 0))
        self.pending.discard(event["requestId"])

    def _on_failed(self, event: dict[str, Any]) -> None:
        self.last_heard = time.monotonic()
        self.failed += not event.get("canceled", False)
        self.pending.discard(event["requestId"])

    def _on_outside(self, _: dict[str, Any]) -> None:
        self.outside_since = time.monotonic()
