"""A page cannot close its own tab, whichever way it tries."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.support.pixels import GREEN, Pixels

from .conftest import Studio

GREEN_PAGE = "<body style='background:#00aa00'>"


@pytest.mark.parametrize(
    "page",
    [
        "<script>window.close()</script>",
        "<script>onload = () => self.close()</script>",
        "<script>setTimeout(() => close(), 300)</script>",
        "<script>window.open('', '_self').close()</script>",
        "<script>window.name = 'me'; window.open('', 'me').close()</script>",
        "<script>onload = () => { window.opener = window; window.close() }</script>",
        "<script>onload = () => { history.back(); setTimeout(() => window.close(), 50) }</script>",
        "<iframe srcdoc='<script>top.close()</script>'></iframe>",
        "<script>const frame = document.body.appendChild(document.createElement("
        "'iframe')); frame.contentWindow.close.call(window)</script>",
        # Only the second time, in the document that it has opened in its own place.
        "<script>onload = () => { if (sessionStorage.once) { window.close() } else { sessionStorage.once = 1; "
        "window.open(location, '_self') } }</script>",
        "<script>if (sessionStorage.once) window.close(); else { sessionStorage.once = 1; location.replace(location) }"
        "</script>",
    ],
)
def test_a_page_that_closes_its_window_is_captured(studio: Studio, page: str) -> None:
    # Given / When a page that closes its window, in one of the ways that there are
    result = studio.visit(f"/page?body={quote(GREEN_PAGE + page)}", timeoutMs=5000)
    # Then it is captured all the same
    assert Pixels(result.data).at(640, 700) == GREEN


def test_closing_looks_to_the_page_as_in_any_browser(studio: Studio) -> None:
    # Given / When a page looks at the function that closes its window, and at its address, state and history
    seen = studio.evaluate(
        "[close, history.pushState, location.href.endsWith('/page'), history.state, history.length < 3].join()"
    )
    # Then nothing of it has been replaced
    assert seen == "function close() { [native code] },function pushState() { [native code] },true,,true"


def test_a_page_that_is_kept_open_still_begins_at_its_anchor(studio: Studio) -> None:
    page = "<div style='height:3000px'></div><p id=there style='height:3000px;background:#00aa00'>"
    assert Pixels(studio.visit(f"/page?body={quote(page)}#there").data).at(640, 400) == GREEN
