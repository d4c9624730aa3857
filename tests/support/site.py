"""A web site with one route for each kind of page: colors, sizes, delays, errors."""

from __future__ import annotations

import contextlib
import http.server
import threading
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

GREEN = (0, 170, 0)
BLUE_SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" preserveAspectRatio="none">'
    b'<rect width="9" height="9" fill="#0000ff"/></svg>'
)


def page(body: str, title: str = "Test page", head: str = "") -> bytes:
    """A whole document with no margins."""
    style = "<style>html,body{margin:0}</style>"
    return f"<!doctype html><meta charset=utf-8><title>{title}</title>{style}{head}<body>{body}".encode()


class Site(http.server.BaseHTTPRequestHandler):
    """Routes a request by the first part of its path; the query holds the arguments."""

    protocol_version = "HTTP/1.1"
    hanging = threading.Event()
    seen: list[str]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        route = getattr(self, f"route_{parts.path.strip('/').split('/')[0] or 'index'}", None)
        if route is None:
            self.answer(404, page("not found", title="Not found"))
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            route(query)

    def answer(self, status: int, body: bytes, content_type: str = "text/html", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def route_colour(self, query: dict[str, str]) -> None:
        """A page of one color: /colour?hex=ff0000&n=1"""
        self.answer(200, page(f'<div style="height:100vh;background:#{query["hex"]}"></div>', f"Color {query['hex']}"))

    def route_slow(self, query: dict[str, str]) -> None:
        """A green page that is slow to answer."""
        time.sleep(float(query.get("seconds", "1")))
        self.answer(200, page('<div style="height:100vh;background:#00aa00"></div>', "Slow"))

    def route_status(self, query: dict[str, str]) -> None:
        code = int(query["code"])
        self.answer(code, b"" if code in (204, 205) else page(f"<h1>{code}</h1>", f"Status {code}"))

    def route_redirect(self, query: dict[str, str]) -> None:
        self.answer(302, b"", Location=query["to"])

    def route_tall(self, query: dict[str, str]) -> None:
        """Bands of 1,000 px, alternately red and blue; the last one is green."""
        bands = int(query.get("bands", "3"))
        colors = ["#ff0000" if band % 2 == 0 else "#0000ff" for band in range(bands - 1)] + ["#00aa00"]
        self.answer(200, page("".join(f'<div style="height:1000px;background:{c}"></div>' for c in colors), "Tall"))

    def route_lazy(self, query: dict[str, str]) -> None:
        """A full-screen hero, and a lazy image 5,000 px below it that loads only if the page is scrolled."""
        hero = '<div style="height:100vh;background:#ff0000"></div><div style="height:5000px"></div>'
        image = '<img loading="lazy" src="/image?ms=200" style="width:100%;height:400px;display:block">'
        self.answer(200, page(hero + image, "Lazy"))

    def route_lazyview(self, query: dict[str, str]) -> None:
        """A lazy image in view, for which the load event does not wait."""
        image = '<img loading="lazy" src="/image?ms=400" style="width:100vw;height:100vh;display:block">'
        self.answer(200, page(image, "Lazy in view"))

    def route_image(self, query: dict[str, str]) -> None:
        time.sleep(int(query.get("ms", "0")) / 1000)
        self.answer(200, BLUE_SVG, "image/svg+xml")

    def route_late(self, query: dict[str, str]) -> None:
        """A page that turns green some time after its load event."""
        script = f"addEventListener('load',()=>setTimeout(()=>document.body.style.background='#00aa00',{query['ms']}))"
        self.answer(200, page(f"<script>{script}</script>", "Late", "<style>body{background:#f00}</style>"))

    def route_dialogs(self, query: dict[str, str]) -> None:
        body = "<script>alert(1);confirm(2);prompt(3);document.body.style.background='#00aa00'</script>"
        self.answer(200, page(body, "Dialogs"))

    def route_hang(self, query: dict[str, str]) -> None:
        """Does not answer before the site is closed."""
        self.hanging.wait(60)

    def route_hungimage(self, query: dict[str, str]) -> None:
        """A page whose load event never fires."""
        self.answer(200, page('<div style="height:100vh;background:#00aa00"></div><img src="/hang">', "Hung image"))

    def route_drop(self, query: dict[str, str]) -> None:
        """Closes the connection without answering."""
        self.close_connection = True
        self.connection.close()

    def route_download(self, query: dict[str, str]) -> None:
        self.answer(200, b"PK", "application/zip", Content_Disposition='attachment; filename="a.zip"')

    def route_busy(self, query: dict[str, str]) -> None:
        self.answer(200, page("<script>setTimeout(()=>{while(true);},0)</script>", "Busy"))

    def route_gradient(self, query: dict[str, str]) -> None:
        """A page that is hard to compress."""
        style = "height:100vh;background:repeating-conic-gradient(from 10deg,#f00,#ff0,#0a0,#00f 33deg)"
        self.answer(200, page(f'<div style="{style}"></div>', "Gradient"))

    def route_goto(self, query: dict[str, str]) -> None:
        """A page whose script navigates to another URL."""
        self.answer(200, page(f"<script>location.href={query['to']!r}</script>", "Leaving"))

    def route_frame(self, query: dict[str, str]) -> None:
        self.answer(200, page(f'<iframe src="{query["src"]}" style="width:100%;height:600px;border:0"></iframe>'))

    def route_cookie(self, query: dict[str, str]) -> None:
        """A page that is green on the first visit and red if the browser has been here before."""
        script = """
          const before = document.cookie.includes('seen') || localStorage.getItem('seen');
          document.cookie = 'seen=1'; localStorage.setItem('seen', '1');
          document.body.style.background = before ? '#ff0000' : '#00aa00';"""
        self.answer(200, page(f"<script>{script}</script>", "Cookie"))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class calls it so
        """Log nothing."""


class SiteServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Log nothing: browsers drop connections all the time."""


@contextlib.contextmanager
def serving_site(address: str = "127.0.0.1") -> Iterator[str]:
    """Serve the site on a free port of an address of this machine; yields `ADDRESS:PORT`."""
    Site.hanging = threading.Event()
    server = SiteServer((address, 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"{address}:{server.server_port}"
    finally:
        Site.hanging.set()
        server.shutdown()
        server.server_close()
        thread.join()
