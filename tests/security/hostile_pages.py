"""Pages that try to take the worker down, and their server."""

from __future__ import annotations

import contextlib
import gzip
import time
from urllib.parse import urlsplit

from tests.support.serving import QuietHandler

DAY_SECONDS = 24 * 3600
PAGES = {
    "infinite-scroll": (
        "<style>p{height:500px}</style><body><script>"
        "const grow = () => { for (let i = 0; i < 50; i++) document.body.append(document.createElement('p')) };"
        "addEventListener('scroll', grow); grow()</script>"
    ),
    "popups": "<body><script>for (let i = 0; i < 100; i++) open('/good?' + i)</script>",
    "dialogs": "<body><script>setInterval(() => { alert(1); confirm(2); prompt(3) }, 0)</script>",
    "alert-on-unload": (
        "<body><script>addEventListener('beforeunload', e => { e.preventDefault(); e.returnValue = 'stay'; alert(1) });"
        "setTimeout(() => { location = '/good' }, 200)</script>"
    ),
    "memory-hog": "<body><script>const kept = []; for (;;) kept.push(new Array(1e6).fill(Math.random()))</script>",
    "busy-loop": "<body><script>for (;;) {}</script>",
    "busy-after-load": "<body><script>addEventListener('load', () => setTimeout(() => { for (;;) {} }, 50))</script>",
    "worker-storm": (
        "<body><script>const b = URL.createObjectURL(new Blob(['for (;;) {}']));"
        "for (let i = 0; i < 50; i++) new Worker(b)</script>"
    ),
    "ten-thousand-requests": (
        "<body><script>for (let i = 0; i < 10000; i++) fetch('/good?' + i).catch(() => 0)</script>"
    ),
    "million-pixels-tall": "<body style='margin:0'><div style='height:1000000px;background:#00aa00'></div>",
    "deep-dom": (
        "<body><script>let e = document.body;"
        "for (let i = 0; i < 50000; i++) e = e.appendChild(document.createElement('b'))</script>"
    ),
    "history-storm": (
        "<body><script>for (let i = 0; i < 100000; i++) try { history.pushState(0, '', '?' + i) } catch (e) {}</script>"
    ),
    "reload-loop": "<body><script>location.reload()</script>",
    "endless-image": "<body><img src='/endless'>",
    "huge-image": "<body><script>document.write(\"<img src='/flood'>\")</script>",
    "blob-disk": (
        "<body><script>const kept = [];"
        "for (let i = 0; i < 200; i++) kept.push(new Blob([new Uint8Array(1e7)]))</script>"
    ),
}
GOOD = b"<!doctype html><body style='margin:0;background:#00aa00'>"


class HostilePages(QuietHandler):
    """Serves one page for each name above, and endless or huge responses."""

    def do_GET(self) -> None:
        name = urlsplit(self.path).path.strip("/")
        with contextlib.suppress(OSError):
            if name in PAGES:
                self.answer(200, b"<!doctype html>" + PAGES[name].encode())
            else:
                getattr(self, f"_{name.replace('-', '_')}", self._missing)()

    def _good(self) -> None:
        self.answer(200, GOOD)

    def _missing(self) -> None:
        self.answer(404, b"not found")

    def _endless_redirect(self) -> None:
        self.answer(302, b"", Location=f"/endless-redirect?{time.monotonic_ns()}")

    def _endless(self) -> None:
        """Sends one byte every 0.2 s, forever."""
        self._head(Content_Type="image/png")
        for _ in range(DAY_SECONDS):
            self.wfile.write(b"\x89")
            time.sleep(0.2)

    def _endless_page(self) -> None:
        self._head(Content_Type="text/html")
        for _ in range(DAY_SECONDS):
            self.wfile.write(b"<p>more")
            time.sleep(0.1)

    def _silence(self) -> None:
        time.sleep(60)

    def _flood(self) -> None:
        """Sends 2 GB as fast as they are read."""
        self._head(Content_Type="text/html")
        chunk = b"<p>" + b"x" * (1 << 20)
        for _ in range(2048):
            self.wfile.write(chunk)

    def _gzip_bomb(self) -> None:
        """Sends 1 GB of spaces, compressed to 1 MB."""
        packed = gzip.compress(b" " * (1 << 26))
        self._head(Content_Type="text/html", Content_Encoding="gzip")
        for _ in range(16):
            self.wfile.write(packed)

    def _head(self, **headers: str) -> None:
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()


ANSWERS = ("endless-redirect", "endless-page", "silence", "flood", "gzip-bomb")
EVERYTHING = (*PAGES, *ANSWERS)
