"""Serves the corpus, each response after a given latency."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.support.serving import QuietHandler

from .pages import PAGES, STYLE

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100" viewBox="0 0 9 9" preserveAspectRatio="none">'
    '<rect width="9" height="9" fill="#{}"/></svg>'
)
WEB_SOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
FONTS = Path("/usr/share/fonts")


class CorpusSite(QuietHandler):
    """Serves /corpus/NAME and what its pages request."""

    latency_seconds = 0.0

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        time.sleep(self.latency_seconds)
        with contextlib.suppress(OSError):
            if parts.path.startswith("/corpus/"):
                self.answer(200, PAGES[parts.path.removeprefix("/corpus/")].html.encode())
            elif parts.path == "/image":
                self.answer(200, SVG.format(query["colour"]).encode(), **{"Content-Type": "image/svg+xml"})
            elif parts.path == "/style":
                self.answer(200, query["css"].encode(), **{"Content-Type": "text/css"})
            elif parts.path == "/script":
                time.sleep(int(query.get("ms", "0")) / 1000)
                self.answer(200, query["code"].encode(), **{"Content-Type": "text/javascript"})
            elif parts.path == "/font":
                self.answer(200, next(FONTS.rglob("*.ttf")).read_bytes(), **{"Content-Type": "font/ttf"})
            elif parts.path == "/page":
                self.answer(200, f"<!doctype html><meta charset=utf-8>{STYLE}{query['body']}".encode())
            elif parts.path == "/chatter":
                self._chatter()
            elif parts.path == "/hang":
                time.sleep(30)
            elif parts.path in ("/slow", "/poll"):
                time.sleep(int(query.get("ms", "50")) / 1000)
                self.answer(200, b"ok")
            else:
                self.answer(404, b"not found")

    def _chatter(self) -> None:
        """A WebSocket (RFC 6455) that sends a message every 50 ms."""
        accept = hashlib.sha1((self.headers["Sec-WebSocket-Key"] + WEB_SOCKET_GUID).encode()).digest()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(accept).decode())
        self.end_headers()
        for _ in range(600):
            # A complete text message of four bytes, unmasked like all messages from a server.
            self.wfile.write(b"\x81\x04tick")
            time.sleep(0.05)
        self.close_connection = True


class At0(CorpusSite):
    """No latency except the machine's."""


class At50(CorpusSite):
    latency_seconds = 0.05


class At300(CorpusSite):
    latency_seconds = 0.3


class At1500(CorpusSite):
    latency_seconds = 1.5
