"""The tab that waits for the next page."""

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
    """Run a scenario on a browser of its own."""

    async def whole() -> None:
        browser = await Launches(chromium)()
        upcoming = SpareTab(EgressGuard(EgressPolicy()))
        try:
            async with asyncio.timeout(SECONDS):
                await scenario(upcoming, browser)
        finally:
            await upcoming.close()
            await browser.kill()

    asyncio.run(whole())


async def give_back(*ready: GuardedTab) -> None:
    for each in ready:
        each.tab.crash.cancel()
        await each.close_guard()


async def listens(ready: GuardedTab) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", ready.session.port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


def test_it_is_opened_ahead_and_given_once(chromium: str) -> None:
    async def scenario(upcoming: SpareTab, browser: Chromium) -> None:
        # Given one that is being opened, and asked for again meanwhile
        upcoming.refill(browser)
        upcoming.refill(browser)
        contexts = len(browser._tabs)
        await asyncio.sleep(1)
        # Then one is there before anybody takes it
        assert (contexts, len(browser._tabs)) == (0, 1)
        # When two are taken, then neither has anything of the other
        one, other = await upcoming.pop(browser), await upcoming.pop(browser)
        assert len(browser._tabs) == 2
        assert one.tab.context_id != other.tab.context_id
        assert one.session.port != other.session.port
        await give_back(one, other)

    run(chromium, scenario)


def test_one_whose_renderer_died_is_not_given(chromium: str) -> None:
    async def scenario(upcoming: SpareTab, browser: Chromium) -> None:
        # Given one that died while it waited
        upcoming.refill(browser)
        assert upcoming._opening is not None
        dead = await upcoming._opening
        dead.tab.session.emit("Inspector.targetCrashed", {})
        # When it is asked for, then another one is given, and nothing is left of it
        ready = await upcoming.pop(browser)
        assert ready.tab.context_id != dead.tab.context_id
        assert list(browser._tabs) == [ready.tab.context_id]
        assert not await listens(dead)
        await give_back(ready)

    run(chromium, scenario)


@pytest.mark.parametrize("waits", [0.0, 1.0], ids=["being opened", "open"])
def test_one_that_is_let_go_leaves_no_guard(chromium: str, waits: float) -> None:
    async def scenario(upcoming: SpareTab, browser: Chromium) -> None:
        # Given one of a browser that is to end
        upcoming.refill(browser)
        await asyncio.sleep(waits)
        ports = set(upcoming._guard._ports)
        # When it is let go
        await upcoming.close()
        # Then nobody listens for it any more
        assert len(ports) == (1 if waits else 0)
        assert upcoming._guard._ports == set()

    run(chromium, scenario)


class Recording:
    """Knows no name, and remembers which it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def resolve(self, host: str) -> tuple[Address, ...]:
        self.asked.append(host)
        return ()


def test_what_it_is_created_with_is_never_asked_for(chromium: str, site: str) -> None:
    # Given an engine whose guard remembers the names
    resolver = Recording()
    engine = RenderEngine(Launches(chromium), EgressGuard(EgressPolicy.of([site]), resolver))
    try:
        # When pages are captured, on tabs that were ready and on one that was told to begin empty
        options: tuple[dict[str, Any], ...] = ({}, {}, {"javaScriptEnabled": False})
        shots = [render(engine, f"http://{site}/colour?hex=00aa00", **each) for each in options]
    finally:
        engine.close()
    # Then each is right, and no name was looked up
    assert all(Pixels(shot.data).is_all(GREEN) for shot in shots)
    assert [shot.facts.blocked for shot in shots] == [None] * 3
    assert resolver.asked == []
