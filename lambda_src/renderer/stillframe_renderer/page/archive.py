"""The page as one file (MHTML, RFC 2557). Chromium leaves out the fonts and some images, so they are added."""

from __future__ import annotations

import base64
import quopri
import re
from typing import Any

from pyppeteer.connection import CDPSession
from pyppeteer.errors import NetworkError

from stillframe.request.capture_request import without_credentials

# What a page is painted with. Scripts do not run in an archive.
KINDS = frozenset({"Font", "Image", "Stylesheet"})
MAX_RESOURCES = 500
BOUNDARY = re.compile(r'^\tboundary="([^"]+)"', re.MULTILINE)
LOCATION = re.compile(r"^Content-Location: (\S+)", re.MULTILINE)
# The record has room for so much of what is missing: a page chooses how many addresses it has, and how long they are.
MAX_NAMED = 5
MAX_URL_CHARS = 300


class Archive:
    """Listens to what the page loads, from the creation of this object on, and makes its archive."""

    def __init__(self, session: CDPSession, max_bytes: int) -> None:
        self._session = session
        self._max_bytes = max_bytes
        # What was first requested, which is what the page names, and the type of the answer, by request.
        self._urls: dict[str, str] = {}
        self._types: dict[str, str] = {}
        self._missing: list[str] = []
        session.on("Network.requestWillBeSent", self._on_request)
        session.on("Network.responseReceived", self._on_response)

    def _on_request(self, event: dict[str, Any]) -> None:
        url = event["request"]["url"]
        if event.get("type") in KINDS and url.startswith("http") and len(self._urls) < MAX_RESOURCES:
            self._urls.setdefault(event["requestId"], url)

    def _on_response(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self._urls and event["response"]["status"] == 200:
            self._types[event["requestId"]] = event["response"].get("mimeType") or "application/octet-stream"

    @property
    def problem(self) -> str | None:
        """What the archive that was read lacks, because the browser has lost it or it has no room for it."""
        if not self._missing:
            return None
        named = [without_credentials(url)[:MAX_URL_CHARS] for url in self._missing[:MAX_NAMED]]
        others = f" and {len(self._missing) - MAX_NAMED} more" if self._missing[MAX_NAMED:] else ""
        return f"not in the archive: {', '.join(named)}{others}"

    async def read(self) -> str:
        """The archive."""
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
            part = f"--{found[1]}\r\nContent-Type: {media_type}\r\nContent-Location: {url}\r\n{content}\r\n"
            if content is None or size + len(part) > self._max_bytes:
                self._missing.append(url)
                continue
            size += len(part)
            parts.append(part)
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
