"""The spare tab, which is opened ahead for the next page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from stillframe.egress.addresses import Address
from stillframe.egress.policy import EgressPolicy
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.browsers.spare_tab import GuardedTab, SpareTab
from stillframe_renderer.chromium.browser import Chromium
from stillframe_renderer.guard.server import EgressGuard
from tests.support.pixels import GREEN, Pixels
from tests.support.processes import Launches
from tests.support.rendering import render

SECONDS = 10.0


def run(chromium: str, scenario: Callable[[SpareTab, Chromium], Awaitable[None]]) -> None:
    """Run a scenario with a new browser."""

    async def with_browser() -> None:
        browser = await Launches(chromium)()
        spare = SpareTab(EgressGuard(EgressPolicy()))
        try:
            async with asyncio.timeout(SECONDS):
                await scenario(spare, browser)
        finally:
            await spare.close()
            await browser.kill()

    asyncio.run(with_browser())


async def discard(*ready: GuardedTab) -> None:
    for each in ready:
        each.tab.crash.cancel()
        await each.close_guard()


async def is_listening(ready: GuardedTab) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", ready.session.port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


def test_a_spare_tab_is_opened_ahead_and_used_once(chromium: str) -> None:
    async def scenario(spare: SpareTab, browser: Chromium) -> None:
        # Given a tab that is being opened, and another request to open one
        spare.refill(browser)
        spare.refill(browser)
        contexts = len(browser._tabs)
        await asyncio.sleep(1)
        # Then one tab is open before it is needed
        assert (contexts, len(browser._tabs)) == (0, 1)
        # When two tabs are taken, then they share neither context nor port
        one, other = await spare.pop(browser), await spare.pop(browser)
        assert len(browser._tabs) == 2
        assert one.tab.context_id != other.tab.context_id
        assert one.session.port != other.session.port
        await discard(one, other)

    run(chromium, scenario)


def test_a_crashed_spare_tab_is_not_used(chromium: str) -> None:
    async def scenario(spare: SpareTab, browser: Chromium) -> None:
        # Given a spare tab whose renderer has crashed
        spare.refill(browser)
        assert spare._opening is not None
        dead = await spare._opening
        dead.tab.session.emit("Inspector.targetCrashed", {})
        # When a tab is taken, then it is a new one, and nothing of the crashed one is left
        ready = await spare.pop(browser)
        assert ready.tab.context_id != dead.tab.context_id
        assert list(browser._tabs) == [ready.tab.context_id]
        assert not await is_listening(dead)
        await discard(ready)

    run(chromium, scenario)


@pytest.mark.parametrize("waits", [0.0, 1.0], ids=["being opened", "open"])
def test_a_closed_spare_tab_leaves_no_guard(chromium: str, waits: float) -> None:
    async def scenario(spare: SpareTab, browser: Chromium) -> None:
        # Given a spare tab, or one that is being opened
        spare.refill(browser)
        await asyncio.sleep(waits)
        (port,) = spare._guard._ports
        # When it is closed
        await spare.close()
        # Then its guard no longer listens
        assert spare._guard._ports == set()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)

    run(chromium, scenario)


class RecordingResolver:
    """A resolver that knows no name and records the names that it is asked for."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def resolve(self, host: str) -> tuple[Address, ...]:
        self.names.append(host)
        return ()


def test_the_url_a_tab_is_created_with_is_never_resolved(chromium: str, site: str) -> None:
    # Given an engine whose guard records the names that it resolves
    resolver = RecordingResolver()
    engine = RenderEngine(Launches(chromium), EgressGuard(EgressPolicy.of([site]), resolver))
    try:
        # When pages are captured, some of them on spare tabs and one that needs a new tab
        options: tuple[dict[str, Any], ...] = ({}, {}, {"javaScriptEnabled": False})
        results = [render(engine, f"http://{site}/colour?hex=00aa00", **each) for each in options]
    finally:
        engine.close()
    # Then each image is right, and no name was resolved
    assert all(Pixels(result.data).is_all(GREEN) for result in results)
    assert [result.facts.blocked for result in results] == [None] * 3
    assert resolver.names == []
