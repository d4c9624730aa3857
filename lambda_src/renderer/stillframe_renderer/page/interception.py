"""The second layer of defence: requests are checked and completed in the browser, before they are sent."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from pyppeteer.connection import CDPSession

from stillframe.egress import hosts
from stillframe.egress.policy import EgressPolicy
from stillframe.errors import CaptureError, InvalidRequest
from stillframe.request.options import RenderOptions

from ..chromium.transport import CommandRefused
from ..guard.session import GuardSession
from .blocks import Blocks
from .preparation import Preparation

# Documents of every scheme are checked. For other resources it is cheaper to list the schemes that no page may request.
DOCUMENTS = {"urlPattern": "*", "resourceType": "Document"}
REFUSED_SCHEMES = ("file", "filesystem", "ftp", "chrome", "chrome-untrusted", "chrome-extension", "devtools")
EVERYTHING = {"urlPattern": "*"}
HTML = [{"name": "Content-Type", "value": "text/html; charset=utf-8"}]

Origin = tuple[str, str, int]


class Interception:
    """Intercepts the requests of one tab. The request's headers go to the origin of its first document and no other."""

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
        """Call before navigating."""
        self._session.on("Fetch.requestPaused", self._on_request)
        patterns = [DOCUMENTS, *({"urlPattern": f"{scheme}:*"} for scheme in REFUSED_SCHEMES)]
        patterns += [{"urlPattern": "*", "resourceType": kind.protocol_name} for kind in self._blocks.types]
        patterns += [{"urlPattern": pattern} for pattern in self._blocks.patterns]
        needs_all = self._headers or self._blocks.need_all
        page.send("Fetch.enable", {"patterns": [EVERYTHING] if needs_all else patterns})

    def _on_request(self, event: dict[str, Any]) -> None:
        """Continue, fulfil or fail a paused request. Redirects and frames are paused as well."""
        url, is_page = event["request"]["url"], event["frameId"] == self._frame_id
        is_page_document = is_page and event["resourceType"] == "Document"
        if is_page_document:
            self.document_url = url
            # In the browser's own spelling: it normalises names and numbers better than our parser would.
            self._origin = self._origin or origin_of(url)
        try:
            self._policy.check_document(url)
        except CaptureError as refusal:
            self._guard.count_refusal(refusal)
            if is_page_document:
                self.refusal = refusal
            self._resolve(event, "Fetch.failRequest", {"errorReason": "AccessDenied"})
            return
        if is_page_document and self._html is not None:
            body = base64.b64encode(self._html.encode()).decode()
            # Only once: documents that the page navigates to later come from the network.
            self._html = None
            self._resolve(event, "Fetch.fulfillRequest", {"responseCode": 200, "responseHeaders": HTML, "body": body})
        elif not is_page_document and self._blocks.refuse(event, self.document_url):
            self._resolve(event, "Fetch.failRequest", {"errorReason": "BlockedByClient"})
        else:
            self._resolve(event, "Fetch.continueRequest", self._added_headers(event))

    def _resolve(self, event: dict[str, Any], method: str, parameters: dict[str, Any]) -> None:
        answer = self._session.send(method, {"requestId": event["requestId"], **parameters})
        if "headers" in parameters:
            answer.add_done_callback(lambda done: self._check_headers(event, done))

    def _check_headers(self, event: dict[str, Any], answer: asyncio.Future[Any]) -> None:
        """Fail a request whose headers the browser refused, because it would wait forever."""
        error = None if answer.cancelled() else answer.exception()
        # The id is unknown if the page has cancelled the request meanwhile.
        if isinstance(error, CommandRefused) and "InterceptionId" not in str(error):
            self.refusal = InvalidRequest("options: headers: the browser refuses one of them")
            self._resolve(event, "Fetch.failRequest", {"errorReason": "Failed"})

    def _added_headers(self, event: dict[str, Any]) -> dict[str, Any]:
        """The parameters that add our headers to requests to the origin. Redirects do not inherit them (CDP, Fetch)."""
        if not self._headers or origin_of(event["request"]["url"]) != self._origin:
            return {}
        names = {name.lower() for name in self._headers}
        kept = {name: value for name, value in event["request"]["headers"].items() if name.lower() not in names}
        return {"headers": [{"name": name, "value": value} for name, value in {**kept, **self._headers}.items()]}


def origin_of(url: str) -> Origin:
    """Scheme, host and port (RFC 6454, 4). The origin of an invalid URL equals that of no page."""
    try:
        return hosts.origin_of(url)
    except ValueError:
        return "", "", -1
