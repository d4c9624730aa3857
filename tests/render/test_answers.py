"""Answers that come late, in part or never: what is waited for, what is given up, and what the record says of it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from stillframe.errors import CaptureError, ContentRefused
from stillframe.image.render_result import RenderResult
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.page.traffic import FIRST_BYTE_SECONDS
from tests.support.pixels import GREEN, Pixels
from tests.support.rendering import local_engine, outcome_of, render

from .conftest import Studio

RED = "<body style='background:#ff0000'>"
TURN = "document.body.style.background = '#00aa00'"
CODE = quote(TURN)
STYLE = quote("body{background:#00aa00 !important}")
LATE = {
    "fetch": f"<script>onload = () => fetch('/slow?ms=2500').then(() => {{ {TURN} }})</script>",
    "fetch-before-load": f"<script>fetch('/slow?ms=2500').then(() => {{ {TURN} }})</script>",
    "one-after-another": (
        "<script>(async () => { for (let n = 0; n < 3; n++) await fetch('/slow?ms=1300&page=' + n);"
        f"{TURN} }})()</script>"
    ),
    "body-after-its-head": (
        f"<script>onload = () => fetch('/late-body').then(answer => answer.text()).then(() => {{ {TURN} }})</script>"
    ),
    "chunk": f"<script type=module>import('/script?ms=2500&code={CODE}')</script>",
    "style-sheet": (
        "<script>setTimeout(() => { const l = document.createElement('link'); l.rel = 'stylesheet';"
        f"l.href = '/style?ms=2500&css={STYLE}'; document.head.append(l) }}, 100)</script>"
    ),
    "background": (
        "<div id=x style='height:800px'></div><script>setTimeout(() => { x.style.background = "
        "\"url('/image?ms=2500&colour=00aa00')\" }, 100)</script>"
    ),
    "second-query-of-an-endpoint": (
        "<script>const ask = q => fetch('/slow', {method: 'POST', body: q});"
        f"ask('a').then(() => ask('b?ms=2500')).then(() => {{ {TURN} }})</script>"
    ),
}


@pytest.mark.parametrize("page", LATE.values(), ids=list(LATE))
def test_a_late_answer_is_in_the_screenshot(studio: Studio, page: str) -> None:
    # Given / When a page that shows an answer that takes more than two seconds
    result = studio.render(RED + page)
    # Then the answer is in the screenshot
    assert Pixels(result.data).at(640, 100) == GREEN
    assert (result.facts.settled, result.facts.unanswered) == (True, None)


def test_a_late_answer_in_a_frame_of_another_site_is_in_the_screenshot(chromium: str, studio: Studio) -> None:
    # Given a frame of another site, which has a renderer of its own
    inner = quote(f"{RED}<script>onload = () => fetch('/slow?ms=2500').then(() => {{ {TURN} }})</script>")
    port = studio.site.rpartition(":")[2]
    frame = f"<iframe src='http://localhost:{port}/?body={inner}' style='width:100%;height:600px;border:0'></iframe>"
    # When the page around it is captured
    with local_engine(chromium, studio.site, f"localhost:{port}") as engine:
        result = render(engine, f"http://{studio.site}/", html=frame)
    # Then the frame's answer has been waited for
    assert Pixels(result.data).at(640, 100) == GREEN


def test_what_scrolling_asks_for_is_waited_for(studio: Studio) -> None:
    # Given a page that asks for more when it is scrolled, and gets it after three seconds
    page = (
        "<div style='height:2000px'></div><script>let asked; addEventListener('scroll', () => { asked ??= "
        "fetch('/slow?ms=3000').then(() => { const more = document.createElement('div');"
        "more.style.cssText = 'height:900px;background:#00aa00'; document.body.append(more) }) })</script>"
    )
    # When the full page is captured, then it is there
    pixels = studio.pixels(page, fullPage=True)
    assert (pixels.size, pixels.at(640, 2800)) == ((1280, 2900), GREEN)


def test_a_worker_that_is_busy_without_an_end_is_named(studio: Studio) -> None:
    # Given a worker that never gets to its end, in a page that has all that it needs
    worker = f"http://{studio.site}/script?code={quote('for (;;);')}"
    result = studio.render(f"<body style='background:#00aa00'><script>new Worker('{worker}')</script>")
    # When it is captured, then the record says what may be missing
    assert Pixels(result.data).at(640, 100) == GREEN
    assert (result.facts.settled, result.facts.unsettled) == (False, "network")
    assert [url.partition("?")[0] for url in result.facts.unanswered or ()] == [f"http://{studio.site}/script"]


@pytest.mark.parametrize(
    "helper",
    [
        "new Worker(URL.createObjectURL(new Blob(['postMessage(1)'])))",
        "navigator.serviceWorker.register('/script?code=' + encodeURIComponent("
        "`addEventListener('fetch', event => event.respondWith(fetch(event.request)))`))",
    ],
    ids=["worker", "service-worker"],
)
def test_a_worker_does_not_hold_up_a_page_that_waits_for_an_answer(studio: Studio, helper: str) -> None:
    # Given a page with a worker, whose answer takes two seconds
    page = f"{RED}<script>{helper}; onload = () => fetch('/slow?ms=2000').then(() => {{ {TURN} }})</script>"
    # When it is captured
    started = time.monotonic()
    result = studio.render(page)
    # Then it is settled soon after that: its frames have not stood still meanwhile
    assert Pixels(result.data).at(640, 100) == GREEN
    assert result.facts.settled
    assert time.monotonic() - started < 5


IN_VAIN = {
    "fetch": "fetch('/hang?token=1').catch(() => 0)",
    "event-stream": "new EventSource('/hang?token=1')",
    "socket": "new WebSocket(`ws://${location.host}/hang?token=1`)",
    "worker": "new Worker('/hang?token=1')",
    "shared-worker": "new SharedWorker('/hang?token=1')",
    "fetch-in-worker": "new Worker(URL.createObjectURL(new Blob([`fetch('${origin}/hang?token=1')`])))",
}


@pytest.mark.parametrize("script", IN_VAIN.values(), ids=list(IN_VAIN))
def test_an_answer_that_never_comes_is_named(studio: Studio, script: str) -> None:
    # Given / When a page that waits for an answer that never comes
    result = studio.render(f"<body style='background:#00aa00'><script>{script}</script>")
    # Then it is captured, and the record says what is missing
    assert Pixels(result.data).at(640, 100) == GREEN
    assert (result.facts.settled, result.facts.unsettled) == (False, "network")
    assert [url.partition("://")[2] for url in result.facts.unanswered or ()] == [f"{studio.site}/hang?token=1"]


@pytest.mark.parametrize(
    "part",
    [
        "<script>fetch('/hang?token=1')</script>",
        "<img src='/hang?token=1'>",
        "<script>new WebSocket(location.origin.replace('http', 'ws') + '/hang?token=1')</script>",
    ],
    ids=["fetch", "image", "socket"],
)
def test_what_is_still_awaited_when_the_time_is_over_is_named(studio: Studio, part: str) -> None:
    # Given a page whose time is over before anything it asks for counts as unanswered
    # When it is captured
    result = studio.render(f"<body style='background:#00aa00'>{part}", timeoutMs=2000)
    # Then the record says what was awaited
    assert result.facts.settled is False
    assert [url.partition("://")[2] for url in result.facts.unanswered or ()] == [f"{studio.site}/hang?token=1"]


def test_a_document_that_a_style_sheet_transforms_waits_for_that_alone(studio: Studio) -> None:
    # Given a sitemap that a style sheet (XSLT) turns into a page
    # When it is captured
    started = time.monotonic()
    result = studio.visit("/sitemap")
    # Then the page is shown, and nothing is waited for any more: the style sheet has come
    assert Pixels(result.data).at(640, 400) == GREEN
    assert (result.facts.settled, result.facts.unanswered) == (True, None)
    assert time.monotonic() - started < 4


def test_a_long_poll_is_not_waited_for(studio: Studio) -> None:
    # Given a page whose poll is answered once, and then left open
    page = "<script>const poll = url => fetch(url); poll('/long-poll').then(() => poll('/long-poll'))</script>"
    # When it is captured
    started = time.monotonic()
    result = studio.render(page)
    # Then it is not held up for long, and nothing is missing
    assert time.monotonic() - started < FIRST_BYTE_SECONDS - 2
    assert result.facts.unanswered is None


PART = b"<!doctype html><body style='background:#00aa00'>"
BROKEN = {
    "shorter": (b"Content-Length: 5000\r\n\r\n" + PART, "ERR_CONTENT_LENGTH_MISMATCH"),
    "no-last-chunk": (b"Transfer-Encoding: chunked\r\n\r\n30\r\n" + PART + b"\r\n", "ERR_INCOMPLETE_CHUNKED_ENCODING"),
}


@contextlib.contextmanager
def answering(answer: bytes, seconds: float = 0.0) -> Iterator[str]:
    """A server that sends these bytes after the status line, and closes the connection after some seconds."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def handle(connection: socket.socket) -> None:
            with contextlib.suppress(OSError), connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + answer)
                time.sleep(seconds)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=handle, args=(server.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def capture(chromium: str, site: str, timeout_ms: int = 8000) -> tuple[RenderResult | CaptureError, float]:
    engine: RenderEngine
    with local_engine(chromium, site) as engine:
        outcome_of(engine, "about:blank")
        started = time.monotonic()
        return outcome_of(engine, f"http://{site}/", timeoutMs=timeout_ms), time.monotonic() - started


@pytest.mark.parametrize(("answer", "error"), BROKEN.values(), ids=list(BROKEN))
def test_a_document_that_breaks_off_is_captured_at_once(chromium: str, answer: bytes, error: str) -> None:
    # Given / When a document that ends before its time
    with answering(answer) as site:
        result, seconds = capture(chromium, site)
    # Then what has come of it is captured, and the record says what is wrong with it
    assert isinstance(result, RenderResult)
    assert Pixels(result.data).at(640, 100) == GREEN
    assert (result.facts.settled, result.facts.unsettled) == (False, f"net::{error}")
    assert seconds < 5


def test_a_document_that_cannot_be_decoded_is_refused_for_good(chromium: str) -> None:
    # Given / When a document that is not compressed, but says so
    with answering(b"Content-Encoding: gzip\r\n\r\nnot compressed at all") as site:
        error, seconds = capture(chromium, site)
    # Then it fails at once, with the browser's reason, and is not tried again
    assert isinstance(error, CaptureError)
    assert isinstance(error, ContentRefused)
    assert "ERR_CONTENT_DECODING_FAILED" in error.message
    assert seconds < 5


STUCK = {
    "head-without-a-body": (b"\r\n", 30.0),
    "body-that-stops": (b"Content-Length: 5000\r\n\r\n" + PART, 30.0),
    "busy-after-load": (b"\r\n<script>onload = () => setTimeout(() => { for (;;) {} }, 50)</script>", 0.0),
    "busy-at-once": (b"\r\n<script>for (;;) {}</script>", 0.0),
}


@pytest.mark.alone
@pytest.mark.parametrize(("answer", "seconds_open"), STUCK.values(), ids=list(STUCK))
def test_a_page_that_is_stuck_holds_its_tab_no_longer_than_its_timeout(
    chromium: str, answer: bytes, seconds_open: float
) -> None:
    # Given / When a page that never gets ready, with a timeout of one second
    with answering(answer, seconds_open) as site:
        _, seconds = capture(chromium, site, timeout_ms=1000)
    # Then there is an answer within two seconds more
    assert seconds < 3.3


@pytest.mark.parametrize("url", ["mailto:a@example.com", "intent://x#Intent;scheme=app;end"])
def test_a_page_that_leads_to_an_application_while_it_loads_is_captured_with_what_it_has(
    studio: Studio, url: str
) -> None:
    # Given a document that leads to another application before its end
    page = f"<div style='height:100px;background:#00aa00'></div><script>location.href = '{url}'</script>"
    # When it is captured
    result = studio.render(page)
    # Then it was not waited for until its time was over
    assert result.facts.unsettled == "net::ERR_UNKNOWN_URL_SCHEME"
    assert Pixels(result.data).at(50, 50) == GREEN


def test_a_page_that_leads_to_an_application_once_it_has_loaded_is_settled(studio: Studio) -> None:
    page = "<div style='height:100px;background:#00aa00'></div><script>onload = () => location = 'mailto:a@b'</script>"
    result = studio.render(page)
    assert (result.facts.settled, Pixels(result.data).at(50, 50)) == (True, GREEN)
