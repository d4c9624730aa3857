"""The page's traffic: requests pending and failed, and bytes loaded."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from pyppeteer.connection import CDPSession

# Types of requests that stay open for as long as the page likes, so they are not waited for.
OPEN_ENDED_TYPES = frozenset({"WebSocket", "EventSource", "Ping", "Media", "TextTrack", "Prefetch"})
# Further requests for the same resource are polling, which never ends.
MAX_REQUESTS_PER_RESOURCE = 4


class Traffic:
    """Listens to one tab, from the creation of this object on. Times are seconds of the monotonic clock."""

    def __init__(self, session: CDPSession) -> None:
        self.pending: set[str] = set()
        self.started = 0
        self.requests = 0
        self.bytes = 0
        self.failed = 0
        self.last_activity = time.monotonic()
        # When a socket, event stream or worker was last opened; 0 if none was.
        self.external_since = 0.0
        self._requests_by_resource: Counter[str] = Counter()
        session.on("Network.requestWillBeSent", self._on_request)
        session.on("Network.responseReceived", self._on_activity)
        session.on("Network.dataReceived", self._on_activity)
        session.on("Network.loadingFinished", self._on_finished)
        session.on("Network.loadingFailed", self._on_failed)
        session.on("Network.webSocketCreated", self._on_external)
        session.on("Target.attachedToTarget", self._on_external)

    def forget_pending(self) -> None:
        """Stop waiting for the requests in progress."""
        self.pending.clear()

    def _on_request(self, event: dict[str, Any]) -> None:
        self.last_activity = time.monotonic()
        self.requests += 1
        kind = event.get("type", "")
        if kind in OPEN_ENDED_TYPES:
            if kind == "EventSource":
                self.external_since = self.last_activity
            return
        parts = urlsplit(event["request"]["url"])
        if parts.scheme not in ("http", "https"):
            return
        resource = f"{parts.netloc}{parts.path}"
        self._requests_by_resource[resource] += 1
        if self._requests_by_resource[resource] > MAX_REQUESTS_PER_RESOURCE and kind in ("XHR", "Fetch"):
            return
        self.started += 1
        self.pending.add(event["requestId"])

    def _on_activity(self, _: dict[str, Any]) -> None:
        self.last_activity = time.monotonic()

    def _on_finished(self, event: dict[str, Any]) -> None:
        self.last_activity = time.monotonic()
        self.bytes += int(event.get("encodedDataLength", 0))
        self.pending.discard(event["requestId"])

    def _on_failed(self, event: dict[str, Any]) -> None:
        self.last_activity = time.monotonic()
        self.failed += not event.get("canceled", False)
        self.pending.discard(event["requestId"])

    def _on_external(self, _: dict[str, Any]) -> None:
        self.external_since = time.monotonic()
