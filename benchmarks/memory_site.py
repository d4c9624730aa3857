"""Serves the pages of `memory_kinds` on the loopback address, where a page may store what it may store at https.

python -m benchmarks.memory_site PORT

Runs inside the function's image, in a container of its own that shares the network of the function's. Needs nothing but
the standard library.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import glob
import gzip
import hashlib
import struct
import sys
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote, urlsplit

from . import memory_kinds

HOG = "const kept = []; for (let i = 0; i < 400; i++) kept.push(new Uint8Array(8 << 20).fill(i + 1))"
IMAGE_SIDE = 3000
ORDINARY_SIDE, ORDINARY_IMAGES = 2000, 5
# What a page gets for 64 KB over the network.
BOMB_BYTES = 64 << 20
DOCUMENT_BOMBS = 30
FONTS = "/usr/share/fonts/**/NotoSansCJK-Regular.*"
SILENCE_SECONDS = 120


def path_of(kind: str, number: int) -> str:
    """The path of a page of this kind."""
    return f"/page/{quote(kind)}?{number}"


@functools.cache
def _png(side: int, number: int) -> bytes:
    """A square image whose pixels take four bytes each once it is decoded, and different ones for each number."""
    colour = bytes((number * 37 % 256, number * 11 % 256, number % 256))
    rows = (b"\0" + colour * side) * side

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


class Pages(BaseHTTPRequestHandler):
    """Serves the pages of all kinds and what they load."""

    protocol_version = "HTTP/1.1"
    packed = gzip.compress(b"<p>x" * (BOMB_BYTES // 4), 6)

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        _, name, *rest = path.split("/")
        with contextlib.suppress(OSError):
            if name == "page" and rest[0] == memory_kinds.DOCUMENT_BOMB:
                self._answer(self.packed * DOCUMENT_BOMBS, "text/html", "gzip")
            elif name == "page":
                other = f"127.0.0.2:{sys.argv[1]}"
                self._answer(memory_kinds.document(rest[0], other).encode(), "text/html")
            elif name == "frame":
                self._answer(f"<!doctype html><script>{HOG.replace('400', '2')}</script>".encode(), "text/html")
            elif name == "hog.js":
                self._answer(HOG.encode(), "text/javascript")
            elif name == "images":
                sources = [f"/image/{number}/{ORDINARY_SIDE}" for number in range(ORDINARY_IMAGES)]
                tags = "".join(f"<img src='{source}' width=400>" for source in sources)
                self._answer(f"<!doctype html><body>{tags}".encode(), "text/html")
            elif name == "image":
                self._answer(_png(int(rest[1]) if rest[1:] else IMAGE_SIDE, int(rest[0])), "image/png")
            elif name == "socket":
                self._open_socket()
            elif name == "bomb":
                self._answer(self.packed, "text/plain", "gzip")
            elif name == "font":
                with open(glob.glob(FONTS, recursive=True)[0], "rb") as file:
                    self._answer(file.read(), "font/collection")
            else:
                self.send_error(404)

    def do_POST(self) -> None:
        # Its body is never read.
        time.sleep(SILENCE_SECONDS)

    def _open_socket(self) -> None:
        """Open a web socket (RFC 6455, 4.2.2), and never read what is sent through it."""
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accepted = base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest()).decode()
        self.send_response(101)
        for header in (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accepted)):
            self.send_header(*header)
        self.end_headers()
        time.sleep(SILENCE_SECONDS)

    def _answer(self, body: bytes, kind: str, encoding: str = "identity") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Encoding", encoding)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("", int(sys.argv[1])), Pages)
    print("serving", flush=True)
    server.serve_forever()
