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

Origin = tuple[str, str, int]


class Interception:
    """Listens to one tab. `headers` go along with requests to the origin of its first document, and no other."""

    def __init__(
        self,
        session: CDPSession,
        frame_id: str,
        policy: EgressPolicy,
        guard: GuardSession,
        headers: dict[str, str],
    ) -> None:
        self._session = session
        self._frame_id = frame_id
        self._policy = policy
        self._guard = guard
        self._origin: Origin | None = None
        self._headers = headers
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
            # As the browser writes it: it knows more about names and numbers than a parser of ours.
            self._origin = self._origin or origin_of(url)
        try:
            self._policy.check_document(url)
        except CaptureError as refusal:
            self._guard.count(refusal)
            if is_page_document:
                self.refusal = refusal
            self._session.send("Fetch.failRequest", {"requestId": event["requestId"], "errorReason": "AccessDenied"})
        else:
            self._session.send("Fetch.continueRequest", {"requestId": event["requestId"], **self._additions(event)})

    def _additions(self, event: dict[str, Any]) -> dict[str, Any]:
        """Where a request goes to the origin, its headers with ours. A redirect does not inherit them (CDP, Fetch)."""
        if not self._headers or origin_of(event["request"]["url"]) != self._origin:
            return {}
        names = {name.lower() for name in self._headers}
        kept = {name: value for name, value in event["request"]["headers"].items() if name.lower() not in names}
        return {"headers": [{"name": name, "value": value} for name, value in {**kept, **self._headers}.items()]}


def origin_of(url: str) -> Origin:
    """Scheme, host and port (RFC 6454, 4). No page's url has the origin of one that cannot be parsed."""
    try:
        parts = urlsplit(url)
        return parts.scheme, (parts.hostname or "").lower(), parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return "", "", -1
