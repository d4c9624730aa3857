"""The page as one file (MHTML, RFC 2557). Chromium leaves out the fonts and some images, so they are added."""

from __future__ import annotations

import base64
import quopri
import re
from typing import Any

from pyppeteer.connection import CDPSession
from pyppeteer.errors import NetworkError

# What a page is painted with. Scripts do not run in an archive.
KINDS = frozenset({"Font", "Image", "Stylesheet"})
MAX_RESOURCES = 500
BOUNDARY = re.compile(r'^\tboundary="([^"]+)"', re.MULTILINE)
LOCATION = re.compile(r"^Content-Location: (\S+)", re.MULTILINE)
NOT_AVAILABLE = "not in the archive: the browser no longer has it"
TOO_MANY_BYTES = "not in the archive, which would be too large"


class Archive:
    """Listens to what the page loads, from the creation of this object on, and makes its archive."""

    def __init__(self, session: CDPSession, max_bytes: int) -> None:
        self._session = session
        self._max_bytes = max_bytes
        # What was first requested, which is what the page names, and the type of the answer, by request.
        self._urls: dict[str, str] = {}
        self._types: dict[str, str] = {}
        # The URLs that are missing, with the reason.
        self.missing: dict[str, str] = {}
        session.on("Network.requestWillBeSent", self._on_request)
        session.on("Network.responseReceived", self._on_response)

    def _on_request(self, event: dict[str, Any]) -> None:
        url = event["request"]["url"]
        if event.get("type") in KINDS and url.startswith("http") and len(self._urls) < MAX_RESOURCES:
            self._urls.setdefault(event["requestId"], url)

    def _on_response(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self._urls and event["response"]["status"] == 200:
            self._types[event["requestId"]] = event["response"].get("mimeType") or "application/octet-stream"

    async def read(self) -> str:
        """The archive. What it lacks of the page is in `missing` afterwards."""
        archive = str((await self._session.send("Page.captureSnapshot", {"format": "mhtml"}))["data"])
        found = BOUNDARY.search(archive)
        if found is None:
            return archive
        end = f"--{found[1]}--"
        known, parts, size = set(LOCATION.findall(archive)), [archive[: archive.rindex(end)]], len(archive)
        for request_id, media_type in self._types.items():
            url = self._urls[request_id].partition("#")[0]
            if url in known:
                continue
            known.add(url)
            content = await self._content(request_id)
            if content is None or size + len(content) > self._max_bytes:
                self.missing[url] = NOT_AVAILABLE if content is None else TOO_MANY_BYTES
                continue
            size += len(content)
            parts.append(f"--{found[1]}\r\nContent-Type: {media_type}\r\nContent-Location: {url}\r\n{content}\r\n")
        return "".join([*parts, f"{end}\r\n"])

    async def _content(self, request_id: str) -> str | None:
        """The header that names the encoding (RFC 2045, 6), and the encoded body. None if the browser has lost it."""
        try:
            answer = await self._session.send("Network.getResponseBody", {"requestId": request_id})
        except NetworkError:
            return None
        body = base64.b64decode(answer["body"]) if answer["base64Encoded"] else answer["body"].encode()
        # Text stays readable, so that a secret in it is found and redacted.
        try:
            body.decode()
        except UnicodeDecodeError:
            return _part("base64", base64.encodebytes(body))
        return _part("quoted-printable", quopri.encodestring(body))


def _part(encoding: str, encoded: bytes) -> str:
    lines = encoded.decode("ascii").splitlines()
    return "\r\n".join([f"Content-Transfer-Encoding: {encoding}", "", *lines])
