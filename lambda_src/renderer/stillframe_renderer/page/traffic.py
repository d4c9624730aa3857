"""The page's traffic: which requests it is waiting for, which were given up, and how much was loaded."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pyppeteer.connection import CDPSession

from stillframe.request.capture_request import without_credentials

from ..chromium.transport import PipeSession
from .external import External
from .targets import FRAME, SERVICE_WORKER, WORKERS, Targets

# Types of requests that stay open for as long as the page likes, so they are not waited for.
OPEN_ENDED_TYPES = frozenset({"WebSocket", "EventSource", "Ping", "Media", "TextTrack", "Prefetch"})
SCRIPTED_TYPES = frozenset({"XHR", "Fetch"})
# Further requests for the same resource are polling, which never ends.
MAX_REQUESTS_PER_RESOURCE = 4
# How long a request is waited for: without an answer, with an answer that has stopped, and without one if the same was
# asked and answered before, as in a long poll.
FIRST_BYTE_SECONDS = 8.0
NEXT_BYTE_SECONDS = 5.0
REPEAT_SECONDS = 2.0
# An answer of unknown length that a script reads is a stream if it has been dribbling for so long at less than this
# speed, or has paused for so long.
STREAM_SECONDS = 5.0
STREAM_BYTES_PER_SECOND = 16 * 1024
PAUSE_SECONDS = 2.0
MAX_GIVEN_UP = 5
POLL_SECONDS = 0.05
SVG = "image/svg+xml"
MAX_SVG_IMAGES = 20
MAX_URL_CHARS = 300


@dataclass(slots=True)
class PendingRequest:
    """A request in progress. Times are seconds of the monotonic clock."""

    url: str
    kind: str
    resource: tuple[str, ...]
    is_repeated: bool
    last_activity: float
    loader_id: str
    answered: float | None = None
    received: int = 0
    # The length of the body, if the answer tells it.
    length: int | None = None

    @property
    def is_complete(self) -> bool:
        """Whether the whole body is here. Chromium reports the end of a body only once the page has read it."""
        return self.length is not None and self.received >= self.length

    def is_missed(self, now: float) -> bool:
        """Whether the page still needs it, but it has taken too long."""
        if self.answered is None:
            return not self.is_repeated and now - self.last_activity > FIRST_BYTE_SECONDS
        return now - self.last_activity > NEXT_BYTE_SECONDS

    def is_open_ended(self, now: float) -> bool:
        """Whether it is a long poll, a stream, or an answer that the page does not read to its end."""
        if self.answered is None:
            return self.is_repeated and now - self.last_activity > REPEAT_SECONDS
        if self.kind not in SCRIPTED_TYPES or self.length is not None:
            return False
        if self.received and now - self.last_activity > PAUSE_SECONDS:
            return True
        answering = now - self.answered
        return answering > STREAM_SECONDS and self.received < answering * STREAM_BYTES_PER_SECOND


class Traffic:
    """Listens to a page, its frames and its workers, from the creation of this object on."""

    def __init__(self, session: CDPSession, targets: Targets) -> None:
        self.pending: dict[str, PendingRequest] = {}
        # The URLs of requests that were waited for in vain.
        self.given_up: list[str] = []
        self.started = 0
        self.requests = 0
        self.bytes = 0
        self.failed = 0
        self._requests_by_resource: Counter[tuple[str, ...]] = Counter()
        self._answered: set[tuple[str, ...]] = set()
        self.svg_images: list[str] = []
        # The requests of frames of another site and of workers, by their sessions.
        self._of_others: dict[str, set[str]] = {}
        # Of the documents that have begun.
        self._loader_ids: set[str] = set()
        self.external = External(targets, self._give_up)
        self._listen(session)
        session.on("Network.requestWillBeSent", self._on_document_request)
        targets.before_start(self._on_target)

    def give_up_overdue(self) -> None:
        """Stop waiting for the requests that have taken too long, and for those that stay open."""
        now = time.monotonic()
        for request_id, request in list(self.pending.items()):
            is_missed = request.is_missed(now)
            if is_missed or request.is_open_ended(now):
                del self.pending[request_id]
                self._answered.add(request.resource)
            if is_missed:
                self._give_up(request.url)

    def give_up_all(self) -> None:
        """Stop waiting for anything, when the time for it is over."""
        self.give_up_overdue()
        for request in self.pending.values():
            if not request.is_repeated:
                self._give_up(request.url)
        self.pending.clear()
        self.external.give_up_all()

    async def wait(self) -> None:
        """Wait for what the page's clock does not wait for, in real time: what is external, and what that requests."""
        await self.external.wait()
        if self.pending:
            await self.wait_for_answers()
            # A worker that was answered tells its page.
            await self.external.wait()

    async def wait_for_answers(self) -> None:
        """Wait until every request has been answered or given up. The caller bounds the time."""
        while self.pending:
            await asyncio.sleep(POLL_SECONDS)
            self.give_up_overdue()

    def _give_up(self, url: str) -> None:
        shown = without_credentials(url)[:MAX_URL_CHARS]
        if shown not in self.given_up and len(self.given_up) < MAX_GIVEN_UP:
            self.given_up.append(shown)

    def _listen(self, session: CDPSession) -> None:
        self.external.listen(session)
        session.on("Network.responseReceived", self._on_response)
        session.on("Network.dataReceived", self._on_data)
        session.on("Network.loadingFinished", self._on_finished)
        session.on("Network.loadingFailed", self._on_failed)
        session.on("Target.detachedFromTarget", self._on_detached)
        session.on("Page.lifecycleEvent", self._on_lifecycle)

    def _on_document_request(self, event: dict[str, Any]) -> None:
        """A request of a document, not of a worker. The session is not told how that of a worker's own script ends."""
        if event.get("type") == "Script" and not event.get("loaderId"):
            self.requests += 1
            self.external.begin_script(event["request"]["url"])
        else:
            self._on_request(event)

    def _on_request(self, event: dict[str, Any]) -> None:
        now = time.monotonic()
        self.requests += 1
        kind, request = event.get("type", ""), event["request"]
        if kind in OPEN_ENDED_TYPES or not request["url"].startswith(("http:", "https:")):
            return
        parts = urlsplit(request["url"])
        path = (request["method"], parts.netloc, parts.path)
        self._requests_by_resource[path] += 1
        if self._requests_by_resource[path] > MAX_REQUESTS_PER_RESOURCE and kind in SCRIPTED_TYPES:
            return
        resource = (*path, *_lasting(parts.query), request.get("postData", ""))
        self.started += 1
        self.pending[event["requestId"]] = PendingRequest(
            request["url"],
            kind,
            resource,
            kind in SCRIPTED_TYPES and resource in self._answered,
            now,
            event.get("loaderId", ""),
        )

    def _on_response(self, event: dict[str, Any]) -> None:
        if event["response"].get("mimeType") == SVG and len(self.svg_images) < MAX_SVG_IMAGES:
            self.svg_images.append(event["requestId"])
        request = self.pending.get(event["requestId"])
        if request is not None:
            request.last_activity = request.answered = time.monotonic()
            self._answered.add(request.resource)
            request.length = _body_length(event["response"]["headers"])
            self._end_if_complete(event["requestId"], request)

    def _on_data(self, event: dict[str, Any]) -> None:
        request = self.pending.get(event["requestId"])
        if request is not None:
            request.last_activity = time.monotonic()
            request.received += int(event.get("dataLength", 0))
            self._end_if_complete(event["requestId"], request)

    def _on_finished(self, event: dict[str, Any]) -> None:
        self.bytes += int(event.get("encodedDataLength", 0))
        self._end(event["requestId"])

    def _on_failed(self, event: dict[str, Any]) -> None:
        self.failed += not event.get("canceled", False)
        self._end(event["requestId"])

    def _end(self, request_id: str) -> None:
        if self.pending.pop(request_id, None) and any(request_id in ids for ids in self._of_others.values()):
            self.external.note()

    def _end_if_complete(self, request_id: str, request: PendingRequest) -> None:
        if request.kind in SCRIPTED_TYPES and request.is_complete:
            self._end(request_id)

    def _on_target(self, kind: str, session: PipeSession, url: str) -> None:
        """Listen to a frame of another site as well, which has a process of its own, and to what a worker requests."""
        if kind in WORKERS:
            # The worker that has started another one may not be told how the request for its script has ended.
            for request_id in [each for each, request in self.pending.items() if request.url == url]:
                self._end(request_id)
        if kind == FRAME or (kind in WORKERS and kind != SERVICE_WORKER):
            ids = self._of_others[session._sessionId] = set()
            session.on("Network.requestWillBeSent", lambda event: ids.add(event["requestId"]))
            self._listen(session)
            session.on("Network.requestWillBeSent", self._on_document_request if kind == FRAME else self._on_request)
            session.send("Network.enable")

    def _on_lifecycle(self, event: dict[str, Any]) -> None:
        """A document that begins twice was transformed by a style sheet (XSLT), whose request is not said to end."""
        if event["name"] != "init":
            return
        loader_id = event["loaderId"]
        if loader_id in self._loader_ids:
            for request_id in [each for each, request in self.pending.items() if request.loader_id == loader_id]:
                self._end(request_id)
        self._loader_ids.add(loader_id)

    def _on_detached(self, event: dict[str, Any]) -> None:
        """Nobody tells how the requests of a frame or worker have ended that is gone."""
        for request_id in self._of_others.pop(event["sessionId"], ()):
            self._end(request_id)


def _body_length(headers: dict[str, str]) -> int | None:
    """The length of a body as a page reads it, which is known unless it is compressed or sent in chunks."""
    lower = {name.lower(): value for name, value in headers.items()}
    length = lower.get("content-length", "")
    return int(length) if length.isdecimal() and "content-encoding" not in lower else None


def _lasting(query: str) -> list[str]:
    """The parameters of a query, without the values that only keep caches from answering: long ones with digits."""
    parameters = parse_qs(query, keep_blank_values=True)
    return [
        name if len(values[0]) > 6 and any(each.isdigit() for each in values[0]) else f"{name}={values}"
        for name, values in sorted(parameters.items())
    ]
