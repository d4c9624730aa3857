"""A browser that takes no screenshots any more, though its processes live, costs a capture time and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from stillframe.clock import Deadline, SystemClock
from stillframe.errors import BrowserCrashed
from stillframe.request.options import RenderOptions
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium.transport import PipeConnection
from stillframe_renderer.page import camera
from tests.support.pixels import RED, Pixels
from tests.support.rendering import local_engine

URL = "http://page.invalid/"
PAGE = {"html": "<!doctype html><body style='background:#ff0000'>text", "offline": True}


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "STALL_SECONDS", 1.0)


def lose_screenshots(monkeypatch: pytest.MonkeyPatch, count: int) -> list[PipeConnection]:
    """Have so many of the next screenshots not taken. Returns the connections that asked for one."""
    asked: list[PipeConnection] = []
    request = PipeConnection.request

    def losing(self: PipeConnection, method: str, params: dict[str, Any], session_id: str | None) -> Any:
        if method == "Page.captureScreenshot":
            asked.append(self)
            if len(asked) <= count:
                return asyncio.get_running_loop().create_future()
        return request(self, method, params, session_id)

    monkeypatch.setattr(PipeConnection, "request", losing)
    return asked


def render(engine: RenderEngine) -> Pixels:
    clock = SystemClock()
    return Pixels(engine.render(URL, RenderOptions.parse(PAGE), Deadline(clock.now_ms() + 60_000, clock)).data)


def test_a_page_whose_screenshot_does_not_come_is_captured_in_another_browser(
    monkeypatch: pytest.MonkeyPatch, chromium: str
) -> None:
    # Given a browser that does not take the next screenshot
    with local_engine(chromium, "127.0.0.1:1") as engine:
        asked = lose_screenshots(monkeypatch, 1)
        # When a page is captured, then it is, in another browser
        assert render(engine).at(640, 400) == RED
        assert len(asked) == len(set(map(id, asked))) == 2


def test_a_page_whose_screenshot_never_comes_fails_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, chromium: str
) -> None:
    with local_engine(chromium, "127.0.0.1:1") as engine:
        asked = lose_screenshots(monkeypatch, 100)
        # When a page is captured, of which no browser takes a screenshot, then it is not tried without end
        with pytest.raises(BrowserCrashed, match="took no screenshot of the page"):
            render(engine)
        assert len(asked) == 3
