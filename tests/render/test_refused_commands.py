"""A command that the browser refuses is an error of the request: the capture ends at once, and the browser is kept."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.errors import InvalidRequest
from stillframe.request.options import RenderOptions
from stillframe_renderer.page import cookies, interception
from tests.support.pixels import GREEN, Pixels
from tests.support.rendering import render

from .conftest import Studio

GREEN_PAGE = "<body style='background:#00aa00'>"


@pytest.fixture
def refused(studio: Studio, caplog: pytest.LogCaptureFixture) -> Any:
    """Captures a page; it must be refused as an invalid request, without replacing the browser."""

    def capture(words: str, **options: Any) -> None:
        with caplog.at_level("WARNING"), pytest.raises(InvalidRequest, match=words):
            render(studio.engine, f"http://{studio.site}/page", **options)
        assert [line.message for line in caplog.records if "replaced" in line.message] == []
        assert Pixels(studio.render(GREEN_PAGE).data).is_all(GREEN)

    return capture


def test_a_cookie_that_only_the_browser_refuses_is_named(refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a cookie that passes validation, like one from a secret whose text is read later
    original = cookies.cookies_of

    def with_semicolon(options: RenderOptions, url: str) -> list[dict[str, Any]]:
        return [{**each, "value": "a;b"} for each in original(options, url)]

    monkeypatch.setattr("stillframe_renderer.page.capture.cookies_of", with_semicolon)
    # When the browser refuses it, then the option is named
    refused("options: cookies", cookies=[{"name": "a", "value": "b"}])


def test_a_header_that_only_the_browser_refuses_is_named(refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a header that the browser refuses to send
    added = interception.Interception._added_headers

    def with_line_break(self: Any, event: dict[str, Any]) -> dict[str, Any]:
        return {"headers": [*added(self, event)["headers"], {"name": "X-B", "value": "a\r\nb"}]}

    monkeypatch.setattr(interception.Interception, "_added_headers", with_line_break)
    # When a page is requested with it, then the option is named long before the page's timeout
    refused("options: headers", headers={"X-A": "a"}, timeoutMs=15_000)


def test_any_other_refused_command_is_named(refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given an option whose value the browser does not know
    monkeypatch.setattr("stillframe_renderer.page.emulation.TRANSPARENT", {"r": "red"})
    # When the browser refuses it, then the request is refused
    refused("Emulation.setDefaultBackgroundColorOverride", omitBackground=True)
