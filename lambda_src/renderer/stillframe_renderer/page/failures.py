"""Errors of the page that the request does not put up with: what it logged, and resources that it did not get."""

from __future__ import annotations

from typing import Any

from pyppeteer.connection import CDPSession

from stillframe.errors import ConsoleErrorRefused, ResourceErrorRefused
from stillframe.request.capture_request import without_credentials
from stillframe.request.options import RenderOptions

from ..chromium.tab import Tab
from ..chromium.transport import PipeSession
from .evidence import Evidence
from .targets import FRAME, Targets

# What a visitor would not miss.
UNSEEN_TYPES = frozenset({"Ping", "Prefetch", "Preflight", "CSPViolationReport"})
MAX_URL_CHARS = 200
MAX_LISTED = 10


class Failures:
    """Listens to one tab and its frames. Create it before navigating."""

    def __init__(self, tab: Tab, targets: Targets, options: RenderOptions, evidence: Evidence) -> None:
        self._frame_id = tab.frame_id
        self._options = options
        self._evidence = evidence
        # The URL of each request, until it has ended.
        self._requests: dict[str, str] = {}
        self._resources: list[str] = []
        if options.fail_on_resource_error:
            self._listen(tab.session)
            targets.before_start(self._on_target)

    def check(self) -> None:
        """Raise ConsoleErrorRefused or ResourceErrorRefused if there was an error of the kind."""
        logged, failed = self._evidence.console_errors, self._resources
        if self._options.fail_on_console_error and logged:
            raise ConsoleErrorRefused(f"failOnConsoleError is set and the page logged {_first_of(logged, 'error')}")
        if failed:
            raise ResourceErrorRefused(f"failOnResourceError is set and the page lacks {_first_of(failed, 'resource')}")

    def _listen(self, session: CDPSession) -> None:
        session.on("Network.requestWillBeSent", self._on_request)
        session.on("Network.responseReceived", self._on_response)
        session.on("Network.loadingFinished", lambda event: self._requests.pop(event["requestId"], None))
        session.on("Network.loadingFailed", self._on_failed)

    def _on_target(self, kind: str, session: PipeSession, url: str) -> None:
        """Listen to a frame of another site as well. `Traffic` has its events sent."""
        if kind == FRAME:
            self._listen(session)

    def _on_request(self, event: dict[str, Any]) -> None:
        kind = event.get("type", "")
        # What becomes of the page's own document is told by its status, or is an error of its own.
        is_page = kind == "Document" and event.get("frameId") == self._frame_id
        if not is_page and kind not in UNSEEN_TYPES:
            self._requests[event["requestId"]] = event["request"]["url"]

    def _on_response(self, event: dict[str, Any]) -> None:
        status = event["response"]["status"]
        if event["requestId"] in self._requests and status >= 400:
            self._add(event["requestId"], f"answered {status}")

    def _on_failed(self, event: dict[str, Any]) -> None:
        # What the page cancelled it does not need; what was blocked, by the request or by a policy, is meant to fail.
        if event.get("canceled") or event.get("blockedReason"):
            self._requests.pop(event["requestId"], None)
        else:
            self._add(event["requestId"], event["errorText"].removeprefix("net::"))

    def _add(self, request_id: str, reason: str) -> None:
        url = self._requests.pop(request_id, "")
        if url and len(self._resources) < MAX_LISTED:
            self._resources.append(f"{without_credentials(url)[:MAX_URL_CHARS]} ({reason})")


def _first_of(texts: list[str], noun: str) -> str:
    """`1 error: ...`, or `2 errors, the first: ...`"""
    if len(texts) == 1:
        return f"1 {noun}: {texts[0]}"
    return f"{len(texts)}{' or more' if len(texts) >= MAX_LISTED else ''} {noun}s, the first: {texts[0]}"
