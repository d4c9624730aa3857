"""Going to a page and knowing when it is ready, or why it is not."""

from __future__ import annotations

import asyncio
from typing import Any

from stillframe.errors import (
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
    # Settling begins there.
    WaitUntil.SETTLED: "load",
    WaitUntil.LOAD: "load",
    WaitUntil.DOM_CONTENT_LOADED: "DOMContentLoaded",
    # 500 ms without a request under way.
    WaitUntil.NETWORK_IDLE: "networkIdle",
}

# Chromium's net error list (net/base/net_error_list.h); what is not named here may pass by itself.
NET_ERRORS: dict[str, type[CaptureError]] = {
    "ERR_NAME_NOT_RESOLVED": UnknownHost,
    "ERR_ICANN_NAME_COLLISION": UnknownHost,
    "ERR_INVALID_URL": InvalidRequest,
    "ERR_UNSAFE_PORT": InvalidRequest,
    "ERR_DISALLOWED_URL_SCHEME": InvalidRequest,
    "ERR_UNKNOWN_URL_SCHEME": InvalidRequest,
    "ERR_TOO_MANY_REDIRECTS": ContentRefused,
    "ERR_INVALID_RESPONSE": ContentRefused,
    "ERR_ABORTED": ContentRefused,
    "ERR_TIMED_OUT": ConnectTimeout,
    "ERR_CONNECTION_TIMED_OUT": ConnectTimeout,
    "ERR_CONNECTION_REFUSED": ConnectionRefused,
    "ERR_CONNECTION_RESET": ConnectionReset,
    "ERR_CONNECTION_CLOSED": ConnectionReset,
    # The connection was closed before a head of a response was whole.
    "ERR_EMPTY_RESPONSE": ConnectionReset,
    "ERR_RESPONSE_HEADERS_TRUNCATED": ConnectionReset,
}
WORDS: dict[type[CaptureError], str] = {
    UnknownHost: "the name of the host does not resolve",
    InvalidRequest: "the url cannot be requested",
    ContentRefused: "the page gave no document to show",
    ConnectTimeout: "the host did not take a connection in time",
    ConnectionFailed: "the connection to the host failed",
    ConnectionRefused: "the host refuses connections at the port",
    ConnectionReset: "the host closed the connection before it answered",
}
TLS_PREFIXES = ("ERR_CERT_", "ERR_SSL_", "ERR_BAD_SSL_", "ERR_TLS_")


class Navigation:
    """The main frame's way to its document. Create it before navigating: it listens from then on."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab
        self._frame_id = tab.frame_id
        self._loader_id: str | None = None
        self._reached: set[tuple[str, str]] = set()
        self._begun: set[str] = set()
        self._changed = asyncio.Event()
        self.has_document = False
        tab.session.on("Page.lifecycleEvent", self._on_lifecycle)

    async def open_empty(self, prepared: Preparation) -> None:
        """Go to an empty document first: what a page was told is done when the next one is made."""
        await self._tab.navigate("about:blank")
        await prepared.confirm()

    async def navigate(self, url: str, prepared: Preparation) -> None:
        """Navigate and return when the document is committed. Raises the CaptureError that fits.

        `prepared` is what the page was told before; what it refuses of that is raised first.
        """
        answered = self._tab.navigate(url)
        await prepared.confirm()
        answer = await answered
        failure = answer.get("errorText")
        if answer.get("isDownload"):
            raise ContentRefused("the page is a download, not a document")
        if failure:
            raise error_for(failure)
        # A page may have moved on by now; and before its own events there may be those of the empty page.
        if (committed := answer.get("loaderId")) and committed not in self._begun:
            self._loader_id = committed
        self.has_document = True

    async def ready(self, wait_until: WaitUntil) -> None:
        """Return when the current document reached the event; follows the page when it navigates on."""
        wanted = LIFECYCLE_EVENTS[wait_until]
        while (self._loader_id, wanted) not in self._reached:
            self._changed.clear()
            await self._changed.wait()

    def _on_lifecycle(self, event: dict[str, Any]) -> None:
        if event["frameId"] != self._frame_id:
            return
        if event["name"] == "init":
            self._loader_id = event["loaderId"]
            self._begun.add(event["loaderId"])
        self._reached.add((event["loaderId"], event["name"]))
        self._changed.set()


def error_for(error_text: str) -> CaptureError:
    """The CaptureError of a Chromium net error such as `net::ERR_NAME_NOT_RESOLVED`."""
    name = error_text.removeprefix("net::")
    if name.startswith(TLS_PREFIXES):
        return TlsFailure(f"the TLS connection to the page failed ({name})")
    error = NET_ERRORS.get(name, ConnectionFailed)
    return error(f"{WORDS[error]} ({name})")
