"""Facts about the page that are collected while it loads: status, redirects, TLS, console errors, timings."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pyppeteer.connection import CDPSession

from stillframe.request.capture_request import without_credentials

MAX_REDIRECTS = 20
# The redirects together have to fit into a record.
MAX_URL_CHARS = 2048
MAX_CONSOLE_ERRORS = 10
MAX_LINE_CHARS = 300
# From this size on, JavaScript prints a number with an exponent.
MIN_EXPONENT_NUMBER = 1e21


class Evidence:
    """Listens to the main frame of one tab, from the creation of this object on."""

    def __init__(self, session: CDPSession, frame_id: str) -> None:
        self._session = session
        self._frame_id = frame_id
        self._started = time.monotonic()
        self.status: int | None = None
        self.page_content_type: str | None = None
        self.tls_issuer: str | None = None
        self.tls_expires_at: int | None = None
        self.redirects: list[str] = []
        self.console_errors: list[str] = []
        self.timings: dict[str, int] = {}
        self._listens_to_errors = True
        session.on("Network.requestWillBeSent", self._on_request)
        session.on("Network.responseReceived", self._on_response)
        session.on("Page.lifecycleEvent", self._on_lifecycle)
        self._error_listeners: dict[str, Callable[[dict[str, Any]], None]] = {
            "Runtime.exceptionThrown": self._on_exception,
            "Runtime.consoleAPICalled": self._on_console,
        }
        for event, listener in self._error_listeners.items():
            session.on(event, listener)

    def mark(self, name: str) -> None:
        """Record a timing in milliseconds since the start of the capture. A later mark replaces an earlier one."""
        self.timings[name] = round((time.monotonic() - self._started) * 1000)

    def _on_request(self, event: dict[str, Any]) -> None:
        is_document = event.get("frameId") == self._frame_id and event.get("type") == "Document"
        if is_document and "redirectResponse" in event and len(self.redirects) < MAX_REDIRECTS:
            self.redirects.append(without_credentials(event["redirectResponse"]["url"])[:MAX_URL_CHARS])

    def _on_response(self, event: dict[str, Any]) -> None:
        if event.get("frameId") != self._frame_id or event.get("type") != "Document":
            return
        response = event["response"]
        self.status = response["status"]
        self.page_content_type = response.get("mimeType", "")[:MAX_LINE_CHARS] or None
        security = response.get("securityDetails") or {}
        self.tls_issuer = security.get("issuer", "")[:MAX_LINE_CHARS] or None
        self.tls_expires_at = int(security["validTo"]) if "validTo" in security else None
        # Earlier marks belong to the previous document, which is a redirecting or an empty one.
        self.timings.clear()
        self.mark("responseMs")

    def _on_lifecycle(self, event: dict[str, Any]) -> None:
        name = {"DOMContentLoaded": "domContentLoadedMs", "load": "loadMs"}.get(event["name"])
        if name is not None and event["frameId"] == self._frame_id:
            self.mark(name)

    def _on_exception(self, event: dict[str, Any]) -> None:
        details = event["exceptionDetails"]
        self._add_console_error(details.get("exception", {}).get("description") or details.get("text", ""))

    def _on_console(self, event: dict[str, Any]) -> None:
        if event["type"] == "error":
            self._add_console_error(" ".join(map(_console_text, event["args"])))

    def _add_console_error(self, text: str) -> None:
        if len(self.console_errors) < MAX_CONSOLE_ERRORS and text:
            self.console_errors.append(text.splitlines()[0][:MAX_LINE_CHARS])
        if len(self.console_errors) == MAX_CONSOLE_ERRORS and self._listens_to_errors:
            # Events without a listener are not even decoded. The domain stays enabled, because others may listen to it.
            self._listens_to_errors = False
            for event, listener in self._error_listeners.items():
                self._session.remove_listener(event, listener)


def _console_text(argument: dict[str, Any]) -> str:
    """The argument as a console prints it. Every number in JavaScript is a double (ECMA-262, Number::toString)."""
    value = argument.get("value", argument.get("description", ""))
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < MIN_EXPONENT_NUMBER
    return str(int(value)) if is_whole else str(value)
