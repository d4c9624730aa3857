"""An engine for the tests of the options, and shortcuts to render some HTML."""

from __future__ import annotations

import functools
import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image

from stillframe.errors import CaptureError
from stillframe.image.render_result import RenderResult
from stillframe_renderer.browsers.engine import RenderEngine
from tests.support.pixels import GREEN, Pixels
from tests.support.rendering import local_engine, render, render_error
from tests.support.serving import QuietHandler, serving

PLAIN = "<!doctype html><meta charset=utf-8><style>html,body{margin:0}</style>"
# Comes in later than a page with nothing else has settled.
FADING_SVG = (
    b"<svg xmlns='http://www.w3.org/2000/svg' width='1280' height='300'><style>@keyframes come{from{opacity:0}}"
    b"rect{animation:come .7s 1s both}</style><rect width='1280' height='300' fill='#00aa00'/></svg>"
)
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100">'
    b'<rect width="100" height="100" fill="#COLOR"/></svg>'
)

# As content management systems serve their sitemaps to browsers.
SITEMAP = (
    b'<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="/sitemap.xsl?ms=200"?>'
    b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>https://example.com/</loc></url></urlset>'
)
SITEMAP_SHEET = (
    b'<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/"><html>'
    b'<body style="background:#00aa00"><p>A sitemap</p></body></html></xsl:template></xsl:stylesheet>'
)


@functools.cache
def large_image() -> bytes:
    """Green pixels (PNG), which take a while to decode."""
    out = io.BytesIO()
    Image.new("RGB", (3000, 2000), GREEN).save(out, "PNG", compress_level=1)
    return out.getvalue()


class Origin(QuietHandler):
    """Serves what the HTML of a test may request: /image?colour=0000ff, /script?code=..., each with ?ms= of delay."""

    requested: list[str]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.requested.append(parts.path)
        time.sleep(int(query.get("ms", "0")) / 1000)
        if parts.path == "/late-body":
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.flush()
            time.sleep(2)
            self.wfile.write(b"late")
        elif parts.path == "/image":
            body = SVG.replace(b"COLOR", query.get("colour", "0000ff").encode())
            self.answer(200, body, **{"Content-Type": "image/svg+xml"})
        elif parts.path == "/large-image":
            self.answer(200, large_image(), **{"Content-Type": "image/png"})
        elif parts.path == "/fading-image":
            self.answer(200, FADING_SVG, **{"Content-Type": "image/svg+xml" + query.get("charset", "")})
        elif parts.path == "/script":
            self.answer(200, query["code"].encode(), **{"Content-Type": "text/javascript"})
        elif parts.path == "/style":
            self.answer(200, query["css"].encode(), **{"Content-Type": "text/css"})
        elif parts.path == "/hang" or (parts.path == "/long-poll" and self.requested.count("/long-poll") > 1):
            time.sleep(60)
        elif parts.path == "/policy":
            policy = {"Content-Security-Policy": "default-src 'none'"}
            self.answer(200, f"{PLAIN}<title>strict</title><h1>text</h1>".encode(), **policy)
        elif parts.path == "/headers":
            self.answer(
                200, f"<title>{self.headers.get(query['name'], 'none')}</title>{query.get('body', '')}".encode()
            )
        elif parts.path == "/headers.js":
            script = f"document.title += ' ' + {self.headers.get(query['name'], 'none')!r}"
            self.answer(200, script.encode(), **{"Content-Type": "text/javascript"})
        elif parts.path == "/sitemap":
            self.answer(200, SITEMAP, **{"Content-Type": "text/xml"})
        elif parts.path == "/sitemap.xsl":
            self.answer(200, SITEMAP_SHEET, **{"Content-Type": "text/xsl"})
        elif parts.path == "/missing":
            self.answer(int(query["status"]), b"<p>missing</p>")
        elif parts.path == "/drop":
            self.close_connection = True
        elif parts.path == "/redirect":
            self.answer(302, b"", Location=query["to"])
        else:
            self.answer(200, f"{PLAIN}<title>{parts.path}</title>{query.get('body', '')}".encode())

    def do_POST(self) -> None:
        """Answers after the delay at the end of the body: ?ms=..."""
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        time.sleep(int(asked.partition("?ms=")[2] or "0") / 1000)
        self.answer(200, b"{}")


@dataclass(frozen=True)
class Studio:
    """Renders pages whose HTML is in the test."""

    engine: RenderEngine
    site: str
    requested: list[str]

    def render(self, html: str, **options: Any) -> RenderResult:
        return self.document(PLAIN + html, **options)

    def document(self, html: str, **options: Any) -> RenderResult:
        """Capture a document with nothing before it. Without a document type, it is in quirks mode."""
        self.requested.clear()
        return render(self.engine, f"http://{self.site}/page", html=html, **options)

    def pixels(self, html: str, **options: Any) -> Pixels:
        return Pixels(self.render(html, **options).data)

    def visit(self, path: str, **options: Any) -> RenderResult:
        self.requested.clear()
        return render(self.engine, f"http://{self.site}{path}", **options)

    def render_error(self, html: str, **options: Any) -> CaptureError:
        return render_error(self.engine, f"http://{self.site}/page", html=PLAIN + html, **options)

    def evaluate(self, expression: str, **options: Any) -> str | None:
        """The value of a JavaScript expression in the page, as text."""
        return self.render(f"<script>document.title = String({expression})</script>", **options).facts.title


@pytest.fixture(scope="module")
def studio(chromium: str) -> Iterator[Studio]:
    requested: list[str] = []
    with (
        serving(type("Recording", (Origin,), {"requested": requested})) as site,
        local_engine(chromium, site) as engine,
    ):
        yield Studio(engine, site, requested)
