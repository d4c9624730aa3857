"""The second layer: what the browser is about to request, judged and completed before it is requested."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlsplit

from pyppeteer.connection import CDPSession

from stillframe.egress.policy import DEFAULT_PORTS, EgressPolicy
from stillframe.errors import CaptureError
from stillframe.request.options import RenderOptions

from ..guard.session import GuardSession
from .blocks import Blocks
from .preparation import Preparation

# Every document is judged, whatever its scheme. For the rest it is cheaper to name what no page may ask for.
DOCUMENTS = {"urlPattern": "*", "resourceType": "Document"}
REFUSED_SCHEMES = ("file", "filesystem", "ftp", "chrome", "chrome-untrusted", "chrome-extension", "devtools")
EVERYTHING = {"urlPattern": "*"}
HTML = [{"name": "Content-Type", "value": "text/html; charset=utf-8"}]

Origin = tuple[str, str, int]


class Interception:
    """Listens to one tab. Headers go along with requests to the origin of its first document, and no other."""

    def __init__(
        self,
        session: CDPSession,
        frame_id: str,
        policy: EgressPolicy,
        guard: GuardSession,
        options: RenderOptions,
        blocks: Blocks,
    ) -> None:
        self._session = session
        self._frame_id = frame_id
        self._policy = policy
        self._guard = guard
        self._origin: Origin | None = None
        self._headers = options.origin_headers()
        self._html = options.html
        self._blocks = blocks
        self.refusal: CaptureError | None = None
        self.document_url = ""

    def install(self, page: Preparation) -> None:
        """Before the first navigation."""
        self._session.on("Fetch.requestPaused", self._on_request)
        patterns = [DOCUMENTS, *({"urlPattern": f"{scheme}:*"} for scheme in REFUSED_SCHEMES)]
        patterns += [{"urlPattern": "*", "resourceType": kind.protocol_name} for kind in self._blocks.types]
        patterns += [{"urlPattern": pattern} for pattern in self._blocks.patterns]
        needs_all = self._headers or self._blocks.need_all
        page.send("Fetch.enable", {"patterns": [EVERYTHING] if needs_all else patterns})

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
            self._guard.count_refusal(refusal)
            if is_page_document:
                self.refusal = refusal
            self._answer(event, "Fetch.failRequest", {"errorReason": "AccessDenied"})
            return
        if is_page_document and self._html is not None:
            body = base64.b64encode(self._html.encode()).decode()
            # Once: what the page goes on to is what the network has.
            self._html = None
            self._answer(event, "Fetch.fulfillRequest", {"responseCode": 200, "responseHeaders": HTML, "body": body})
        elif not is_page_document and self._blocks.refuse(event, self.document_url):
            self._answer(event, "Fetch.failRequest", {"errorReason": "BlockedByClient"})
        else:
            self._answer(event, "Fetch.continueRequest", self._additions(event))

    def _answer(self, event: dict[str, Any], method: str, parameters: dict[str, Any]) -> None:
        self._session.send(method, {"requestId": event["requestId"], **parameters})

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
