"""Spare tabs, which are opened ahead for the next pages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from stillframe.egress.addresses import Address
from stillframe.egress.policy import EgressPolicy
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.browsers.memory_watch import MemoryWatch
from stillframe_renderer.browsers.spare_tabs import REFILL_SECONDS, GuardedTab, SpareTabs
from stillframe_renderer.chromium.browser import Chromium
from stillframe_renderer.guard.server import EgressGuard
from stillframe_renderer.load.free_memory import FreeMemory
from tests.support.pixels import GREEN, Pixels
from tests.support.processes import Launches
from tests.support.rendering import render

SECONDS = 10.0


def run(
    chromium: str, scenario: Callable[[SpareTabs, Chromium], Awaitable[None]], limit_bytes: int = 1500 << 20
) -> None:
    """Run a scenario with a new browser, which may use so much memory."""

    async def with_browser() -> None:
        browser = await Launches(chromium)()
        spare = SpareTabs(EgressGuard(EgressPolicy()), MemoryWatch(limit_bytes, FreeMemory()))
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


async def take(spare: SpareTabs, browser: Chromium, count: int) -> list[GuardedTab]:
    """Take tabs for captures that begin together."""
    taken = [await spare.pop(browser) for _ in range(count)]
    for _ in taken:
        spare.refill_soon(browser)
    return taken


async def refill(spare: SpareTabs) -> None:
    """Wait until spare tabs have been opened, if any are."""
    await asyncio.sleep(REFILL_SECONDS + 0.1)
    await asyncio.gather(*spare._opening)


def test_a_spare_tab_is_opened_ahead_and_used_once(chromium: str) -> None:
    async def scenario(spare: SpareTabs, browser: Chromium) -> None:
        # Given a tab that is being opened, and another request to open one
        spare.open_one(browser)
        spare.open_one(browser)
        contexts = len(browser._tabs)
        await spare.is_open()
        # Then one tab is open before it is needed
        assert (contexts, len(browser._tabs)) == (0, 1)
        # When two tabs are taken, then they share neither context nor port
        one, other = await spare.pop(browser), await spare.pop(browser)
        assert len(browser._tabs) == 2
        assert one.tab.context_id != other.tab.context_id
        assert one.session.port != other.session.port
        await discard(one, other)

    run(chromium, scenario)


def test_as_many_tabs_are_opened_ahead_as_were_taken_together(chromium: str) -> None:
    async def scenario(spare: SpareTabs, browser: Chromium) -> None:
        # When three tabs are taken together
        taken = await take(spare, browser, 3)
        # Then none is opened before their pages have had time to ask for their documents
        assert len(browser._tabs) == 3
        await refill(spare)
        # And then three are
        assert len(browser._tabs) == 6
        # When one of them is taken by itself, then it is not replaced: two are left
        taken += await take(spare, browser, 1)
        await refill(spare)
        assert len(browser._tabs) == 6
        # When the others are taken one after the other, then one is opened for the next
        taken += await take(spare, browser, 1)
        await refill(spare)
        taken += await take(spare, browser, 1)
        await refill(spare)
        assert len(browser._tabs) == 7
        await discard(*taken)

    run(chromium, scenario)


def test_one_tab_is_opened_ahead_when_memory_is_short(chromium: str) -> None:
    async def scenario(spare: SpareTabs, browser: Chromium) -> None:
        # Given a browser that uses more than it may
        await asyncio.to_thread(browser.memory.measure)
        # When three tabs are taken together, then one is opened ahead
        taken = await take(spare, browser, 3)
        await refill(spare)
        assert len(browser._tabs) == 4
        await discard(*taken)

    run(chromium, scenario, limit_bytes=1 << 20)


def test_tabs_opened_ahead_take_no_more_than_half_of_the_memory(chromium: str) -> None:
    async def scenario(spare: SpareTabs, browser: Chromium) -> None:
        # Given a browser that may use 40 MB more before it has used half of its memory
        await asyncio.to_thread(browser.memory.measure)
        spare._memory = MemoryWatch(2 * (browser.memory.last.total + (40 << 20)), FreeMemory())
        # When eight tabs are taken together, then as many are opened ahead as have room there
        taken = await take(spare, browser, 8)
        await refill(spare)
        assert len(browser._tabs) == 8 + 2
        await discard(*taken)

    run(chromium, scenario)


def test_no_tab_is_opened_after_the_spare_ones_were_given_up(chromium: str) -> None:
    async def scenario(spare: SpareTabs, browser: Chromium) -> None:
        # Given a tab that was taken and is about to be replaced
        taken = await take(spare, browser, 1)
        # When the spare tabs are given up, as their browser is being replaced
        spare.discard()
        await refill(spare)
        # Then none is opened
        assert len(browser._tabs) == 1
        await discard(*taken)

    run(chromium, scenario)


def test_a_crashed_spare_tab_is_not_used(chromium: str) -> None:
    async def scenario(spare: SpareTabs, browser: Chromium) -> None:
        # Given a spare tab whose renderer has crashed
        spare.open_one(browser)
        dead = await spare._opening[0]
        dead.tab.session.emit("Inspector.targetCrashed", {})
        # When a tab is taken, then it is a new one, and nothing of the crashed one is left
        ready = await spare.pop(browser)
        assert ready.tab.context_id != dead.tab.context_id
        assert list(browser._tabs) == [ready.tab.context_id]
        assert not await is_listening(dead)
        await discard(ready)

    run(chromium, scenario)


def test_a_browser_that_is_being_replaced_leaves_the_spare_tabs_of_the_new_one(chromium: str) -> None:
    async def scenario(spare: SpareTabs, browser: Chromium) -> None:
        # Given a spare tab of a browser, and another browser, which has been replaced
        spare.open_one(browser)
        await spare.is_open()
        (context_id,) = browser._tabs
        replaced = await Launches(chromium)()
        try:
            # When a tab of the other browser is taken, then it is a new one
            late = await spare.pop(replaced)
            assert list(replaced._tabs) == [late.tab.context_id]
            # And the spare tab is still there
            ready = await spare.pop(browser)
            assert ready.tab.context_id == context_id
            await discard(late, ready)
        finally:
            await replaced.kill()

    run(chromium, scenario)


def test_a_tab_that_opens_when_its_capture_is_out_of_time_leaves_no_guard(chromium: str) -> None:
    async def scenario(spare: SpareTabs, browser: Chromium) -> None:
        # Given a capture that waits for a spare tab, and whose time is up at the very moment when the tab is open
        spare.open_one(browser)
        opening = spare._opening[0]
        opening.add_done_callback(lambda _: popping.cancel())
        popping = asyncio.create_task(spare.pop(browser))
        with pytest.raises(asyncio.CancelledError):
            await popping
        ready = opening.result()
        # When the spare tabs are given up
        await spare.close()
        # Then the guard of the one that nobody got no longer listens
        assert spare._guard._ports == set()
        assert not await is_listening(ready)

    run(chromium, scenario)


@pytest.mark.parametrize("waits", [0.0, 1.0], ids=["being opened", "open"])
def test_a_closed_spare_tab_leaves_no_guard(chromium: str, waits: float) -> None:
    async def scenario(spare: SpareTabs, browser: Chromium) -> None:
        # Given a spare tab, or one that is being opened
        spare.open_one(browser)
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
