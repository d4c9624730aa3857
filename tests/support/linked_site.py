"""A site of many pages that link to each other, under several spellings, and that counts how often each is loaded."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections import Counter
from collections.abc import Iterator

# Each page links to so many that nobody else does: the site is a tree with cross links.
CHILDREN = 12
PAGE = (
    '<!doctype html><link rel="icon" href="data:,"><title>{title}</title><body style="background:#{color:06x}">{links}'
)


class LinkedSite(http.server.ThreadingHTTPServer):
    """Pages /0 to /N-1. `loads` counts the requests for each path, queries included."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, pages: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages = pages
        self.loads: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.host = f"127.0.0.1:{self.server_port}"
        self.url = f"http://{self.host}/0"

    @property
    def urls(self) -> list[str]:
        """The URL of every page, in its normal form, in the order of a breadth-first search."""
        return [f"http://{self.host}/{number}" for number in range(self.pages)]

    def document(self, number: int) -> bytes:
        """A page: the links to its children come last, after many that lead nowhere new."""
        children = range(number * CHILDREN + 1, min(number * CHILDREN + CHILDREN + 1, self.pages))
        links = [
            f"/{number}#part",
            f"/x/../{max(0, number - 1)}",
            f"http://{self.host.upper()}/%30",
            f"/{(number - 1) // CHILDREN if number else 0}?utm_source=page{number}",
            f"/private/{number}",
            "https://elsewhere.example/",
            "javascript:void(0)",
            *(f"/{child}" for child in children),
        ]
        anchors = "".join(f"<a href='{link}'>{link}</a> " for link in links)
        return PAGE.format(title=f"Page {number}", color=number * 7919 % 0xFFFFFF, links=anchors).encode()

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that was killed is no fault of the site's."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert isinstance(self.server, LinkedSite)
        with self.server.lock:
            self.server.loads[self.path] += 1
        name = self.path.partition("?")[0].strip("/")
        if self.path == "/robots.txt":
            self._answer(200, b"User-agent: *\nDisallow: /private\n", "text/plain")
        elif name.isdigit() and int(name) < self.server.pages:
            self._answer(200, self.server.document(int(name)), "text/html")
        else:
            self._answer(404, b"not found", "text/html")

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class calls it so
        """Log nothing."""


@contextlib.contextmanager
def serving_linked_site(pages: int) -> Iterator[LinkedSite]:
    with LinkedSite(pages) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
