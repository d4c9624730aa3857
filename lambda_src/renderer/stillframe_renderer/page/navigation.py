"""Navigating to a page, and telling when it is ready or why it is not."""

from __future__ import annotations

import asyncio
from typing import Any

from pyppeteer.errors import NetworkError

from stillframe.errors import (
    BlockedScheme,
    CaptureError,
    ConnectionFailed,
    ConnectionRefused,
    ConnectionReset,
    ConnectTimeout,
    ContentRefused,
    InvalidRequest,
    TlsFailure,
    UnknownHost,
)
from stillframe.request.options import WaitUntil

from ..chromium.tab import Tab
from .preparation import Preparation

LIFECYCLE_EVENTS = {
    # Settling begins after the load event.
    WaitUntil.SETTLED: "load",
    WaitUntil.LOAD: "load",
    WaitUntil.DOM_CONTENT_LOADED: "DOMContentLoaded",
    # 500 ms without a request in progress.
    WaitUntil.NETWORK_IDLE: "networkIdle",
}

# Chromium's network errors (net/base/net_error_list.h). Errors not listed here may be temporary.
NET_ERRORS: dict[str, type[CaptureError]] = {
    "ERR_NAME_NOT_RESOLVED": UnknownHost,
    "ERR_ICANN_NAME_COLLISION": UnknownHost,
    "ERR_INVALID_URL": InvalidRequest,
    "ERR_UNSAFE_PORT": InvalidRequest,
    "ERR_DISALLOWED_URL_SCHEME": InvalidRequest,
    "ERR_UNKNOWN_URL_SCHEME": InvalidRequest,
    # A redirect to a scheme that no page of the network may lead to, such as file: or data:.
    "ERR_UNSAFE_REDIRECT": BlockedScheme,
    "ERR_TOO_MANY_REDIRECTS": ContentRefused,
    "ERR_INVALID_RESPONSE": ContentRefused,
    "ERR_ABORTED": ContentRefused,
    "ERR_CONTENT_DECODING_FAILED": ContentRefused,
    "ERR_CONTENT_DECODING_INIT_FAILED": ContentRefused,
    "ERR_TIMED_OUT": ConnectTimeout,
    "ERR_CONNECTION_TIMED_OUT": ConnectTimeout,
    "ERR_CONNECTION_REFUSED": ConnectionRefused,
    "ERR_CONNECTION_RESET": ConnectionReset,
    "ERR_CONNECTION_CLOSED": ConnectionReset,
    # The connection was closed before the head of the response was complete.
    "ERR_EMPTY_RESPONSE": ConnectionReset,
    "ERR_RESPONSE_HEADERS_TRUNCATED": ConnectionReset,
}
MESSAGES: dict[type[CaptureError], str] = {
    UnknownHost: "the host name does not resolve",
    BlockedScheme: "the page redirects to a URL that is neither http nor https",
    InvalidRequest: "the URL cannot be requested",
    ContentRefused: "the page returned no document to capture",
    ConnectTimeout: "the host did not accept a connection in time",
    ConnectionFailed: "the connection to the host failed",
    ConnectionRefused: "the host refuses connections on the port",
    ConnectionReset: "the host closed the connection before it answered",
}
# Schemes of URLs that lead to a document of this browser. All others are for other applications.
OWN_SCHEMES = ("http:", "https:", "about:", "blob:", "data:", "javascript:")
# A document that leads to another application before it is read to its end is not read any further: Chromium's parser
# waits for a navigation that does not come. So much time is left for a document of which more is still to arrive.
LEFT_SECONDS = 5
LEFT = "net::ERR_UNKNOWN_URL_SCHEME"
TLS_PREFIXES = ("ERR_CERT_", "ERR_SSL_", "ERR_BAD_SSL_", "ERR_TLS_")


class Navigation:
    """Navigates the main frame of one tab. Create it before navigating: it listens to the tab's events from then on."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab
        self._frame_id = tab.frame_id
        self._loader_id: str | None = None
        # The lifecycle events so far, each with its loader id, and the loaders that have begun.
        self._reached: set[tuple[str, str]] = set()
        self._begun: set[str] = set()
        self._changed = asyncio.Event()
        self.has_document = False
        # The network error with which the current document broke off.
        self.broken_off: str | None = None
        # Whether it leads to another application (mailto:, intent:), which the browser does not open.
        self._has_left = False
        tab.session.on("Network.loadingFailed", self._on_failed)
        tab.session.on("Page.frameRequestedNavigation", self._on_requested)
        tab.session.on("Page.lifecycleEvent", self._on_lifecycle)

    async def open_empty(self, prepared: Preparation) -> None:
        """Navigate to an empty document first, so that the commands have taken effect before the next document."""
        await self._tab.navigate("about:blank")
        await prepared.confirm()

    async def navigate(self, url: str, prepared: Preparation) -> None:
        """Navigate, and return when the document is committed. Raises the CaptureError that applies.

        `prepared` holds the commands sent to the page before. If the browser refused one, that error is raised first.
        """
        answered = self._tab.navigate(url)
        await prepared.confirm()
        answer = await answered
        failure = answer.get("errorText")
        if answer.get("isDownload"):
            raise ContentRefused("the page is a download, not a document")
        if failure:
            raise error_for(failure)
        # The page may have navigated on by now. Events of the empty page may also have come before its own.
        if (committed := answer.get("loaderId")) and committed not in self._begun:
            self._loader_id = committed
        self.has_document = True

    async def ready(self, wait_until: WaitUntil) -> None:
        """Return when the current document has reached the event, or has broken off and will not reach it.

        Follows the page if it navigates on.
        """
        wanted = LIFECYCLE_EVENTS[wait_until]
        while (self._loader_id, wanted) not in self._reached and self.broken_off is None:
            self._changed.clear()
            is_stuck = self._has_left and (self._loader_id, "DOMContentLoaded") not in self._reached
            try:
                async with asyncio.timeout(LEFT_SECONDS if is_stuck else None):
                    await self._changed.wait()
            except TimeoutError:
                self.broken_off = LEFT

    async def document_text(self) -> str | None:
        """The document as the server sent it, or None if the browser has not kept it."""
        try:
            answer = await self._tab.session.send("Network.getResponseBody", {"requestId": self._loader_id})
        except NetworkError:
            return None
        return str(answer["body"])

    def _on_lifecycle(self, event: dict[str, Any]) -> None:
        if event["frameId"] != self._frame_id:
            return
        if event["name"] == "init":
            self._loader_id = event["loaderId"]
            self.broken_off = None
            self._has_left = False
            self._begun.add(event["loaderId"])
        self._reached.add((event["loaderId"], event["name"]))
        self._changed.set()

    def _on_requested(self, event: dict[str, Any]) -> None:
        if event["frameId"] == self._frame_id and not event["url"].startswith(OWN_SCHEMES):
            self._has_left = True
            self._changed.set()

    def _on_failed(self, event: dict[str, Any]) -> None:
        # The id of a document's request is that of its loader.
        if event["requestId"] == self._loader_id and not event.get("canceled", False):
            self.broken_off = event["errorText"]
            self._changed.set()


def error_for(error_text: str) -> CaptureError:
    """The CaptureError for a network error of Chromium's, such as `net::ERR_NAME_NOT_RESOLVED`."""
    name = error_text.removeprefix("net::")
    if name.startswith(TLS_PREFIXES):
        return TlsFailure(f"the TLS connection to the page failed ({name})")
    error = NET_ERRORS.get(name, ConnectionFailed)
    return error(f"{MESSAGES[error]} ({name})")
