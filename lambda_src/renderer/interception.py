"""The second layer: what the browser is about to request, judged and completed before it is requested."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pyppeteer.connection import CDPSession

from stillframe.egress import DEFAULT_PORTS, EgressPolicy
from stillframe.errors import CaptureError

from .guard.session import GuardSession

# Every document is judged, whatever its scheme. For the rest it is cheaper to name what no page may ask for.
DOCUMENTS = {"urlPattern": "*", "resourceType": "Document"}
REFUSED_SCHEMES = ("file", "filesystem", "ftp", "chrome", "chrome-untrusted", "chrome-extension", "devtools")
EVERYTHING = {"urlPattern": "*"}


class Interception:
    """Listens to one tab. `headers` go along with requests to the origin of `url`, and with no other."""

    def __init__(
        self,
        session: CDPSession,
        frame_id: str,
        policy: EgressPolicy,
        guard: GuardSession,
        url: str,
        headers: dict[str, str],
    ) -> None:
        self._session = session
        self._frame_id = frame_id
        self._policy = policy
        self._guard = guard
        self._origin = origin_of(url)
        self._headers = headers
        self._names = {name.lower() for name in headers}
        self.refusal: CaptureError | None = None
        self.document_url = ""

    async def start(self) -> None:
        """Call it before the first navigation."""
        self._session.on("Fetch.requestPaused", self._on_request)
        patterns = [DOCUMENTS, *({"urlPattern": f"{scheme}:*"} for scheme in REFUSED_SCHEMES)]
        await self._session.send("Fetch.enable", {"patterns": [EVERYTHING] if self._headers else patterns})

    def _on_request(self, event: dict[str, Any]) -> None:
        """Redirects and frames come here as well."""
        url, is_page = event["request"]["url"], event["frameId"] == self._frame_id
        is_page_document = is_page and event["resourceType"] == "Document"
        if is_page_document:
            self.document_url = url
        try:
            self._policy.check_document(url)
        except CaptureError as refusal:
            self._guard.count(refusal)
            if is_page_document:
                self.refusal = refusal
            self._session.send("Fetch.failRequest", {"requestId": event["requestId"], "errorReason": "AccessDenied"})
        else:
            self._session.send("Fetch.continueRequest", {"requestId": event["requestId"], **self._changed(event)})

    def _changed(self, event: dict[str, Any]) -> dict[str, Any]:
        """The headers of a request, where they are not what the browser made them."""
        is_ours = origin_of(event["request"]["url"]) == self._origin
        # A redirect takes over the headers of the request before it.
        if not self._headers or not (is_ours or "redirectedRequestId" in event):
            return {}
        kept = {name: value for name, value in event["request"]["headers"].items() if name.lower() not in self._names}
        headers = kept | (self._headers if is_ours else {})
        return {"headers": [{"name": name, "value": value} for name, value in headers.items()]}


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port (RFC 6454, 4). No page's url has the origin of one that cannot be parsed."""
    try:
        parts = urlsplit(url)
        return parts.scheme, (parts.hostname or "").lower(), parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return "", "", -1
