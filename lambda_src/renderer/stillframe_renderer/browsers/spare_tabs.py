"""A tab with its guard, and those that are opened ahead of the captures that will use them."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass

from ..chromium.browser import Chromium
from ..chromium.tab import Tab
from ..guard.server import EgressGuard
from ..guard.session import GuardSession
from .memory_watch import MemoryWatch

# Within this time, the captures of an event have claimed their messages and sent their pages' first requests; opening
# tabs earlier would delay those. Of 0, 0.05, 0.1 and 0.2 s, it is the one with which full events are fastest.
REFILL_SECONDS = 0.1
# Tabs opened ahead leave this share of the browser's memory to pages, though one is opened in any case. An empty tab
# takes 13 MB in its own process, and a little in the others.
PAGES_SHARE = 1 / 2
TAB_BYTES = 15 << 20


@dataclass(frozen=True, slots=True)
class GuardedTab:
    """A tab and the guard that all of its traffic goes through. Nothing in it depends on a request yet."""

    tab: Tab
    session: GuardSession
    _guard: contextlib.AsyncExitStack

    @classmethod
    async def open(cls, chromium: Chromium, guard: EgressGuard) -> GuardedTab:
        """Open a tab behind a guard session of its own. The caller bounds the time."""
        stack = contextlib.AsyncExitStack()
        session = await stack.enter_async_context(guard.session())
        try:
            return cls(await Tab.open(chromium, session.url), session, stack)
        except BaseException:
            await stack.aclose()
            raise

    async def close_guard(self) -> None:
        """End the guard session with all of its connections."""
        await self._guard.aclose()


class SpareTabs:
    """The tabs that are opened while others are in use: as many as were taken together the last time.

    The captures of an event begin together, and then wait for their pages' first bytes, so the tabs of the next event
    are opened meanwhile. All of them belong to the current browser.
    """

    def __init__(self, guard: EgressGuard, memory: MemoryWatch) -> None:
        self._guard = guard
        self._memory = memory
        self._chromium: Chromium | None = None
        self._opening: deque[asyncio.Task[GuardedTab]] = deque()
        # Since tabs were opened ahead the last time.
        self._taken = 0
        self._refilling: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def pop(self, chromium: Chromium) -> GuardedTab:
        """A tab of that browser: a spare one if there is one, else a new one. The caller bounds the time."""
        while self._opening and self._chromium is chromium:
            opening = self._opening.popleft()
            try:
                spare = await opening
            except asyncio.CancelledError:
                # Its caller's time is up. The tab may be open all the same, and nobody else knows of it.
                self._give_up(opening)
                raise
            if not spare.tab.crash.done():
                return spare
            await spare.close_guard()
            await chromium.close_context(spare.tab.context_id)
        return await GuardedTab.open(chromium, self._guard)

    def refill_soon(self, chromium: Chromium) -> None:
        """Note that a tab was taken. Those that are taken until its page loads are replaced together."""
        self._chromium = chromium
        self._taken += 1
        if self._refilling is None:
            self._refilling = asyncio.get_running_loop().call_later(REFILL_SECONDS, self._refill)

    def open_one(self, chromium: Chromium) -> None:
        """Begin to open a tab unless there is one."""
        self._chromium = chromium
        self._open(1)

    async def is_open(self) -> None:
        """Wait until a spare tab is open. Raises what opening it raises; the caller bounds the time."""
        if self._opening:
            await asyncio.shield(self._opening[0])

    def discard(self) -> None:
        """Give up the spare tabs: their browser is going to end, or has ended."""
        self._taken = 0
        if self._refilling is not None:
            self._refilling.cancel()
            self._refilling = None
        while self._opening:
            self._give_up(self._opening.pop())

    async def close(self) -> None:
        """Discard the spare tabs, and return when their guard sessions have ended."""
        self.discard()
        await asyncio.gather(*self._closing)

    def _refill(self) -> None:
        taken, self._taken, self._refilling = self._taken, 0, None
        assert self._chromium is not None
        room = self._memory.room_within(1 - PAGES_SHARE, self._chromium)
        self._open(min(taken, max(1, room // TAB_BYTES)))

    def _open(self, count: int) -> None:
        """Begin to open tabs until there are so many."""
        while self._chromium is not None and self._chromium.is_alive and len(self._opening) < count:
            opening = asyncio.create_task(GuardedTab.open(self._chromium, self._guard))
            # Whoever pops the tab gets its error; retrieve it for the case that nobody does.
            opening.add_done_callback(lambda task: task.cancelled() or task.exception())
            self._opening.append(opening)

    def _give_up(self, opening: asyncio.Task[GuardedTab]) -> None:
        """Have the guard session of a tab ended that is open or being opened. Its context ends with the browser."""
        opening.cancel()
        closing = asyncio.create_task(_close_guard_of(opening))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


async def _close_guard_of(opening: asyncio.Task[GuardedTab]) -> None:
    (opened,) = await asyncio.gather(opening, return_exceptions=True)
    if isinstance(opened, GuardedTab):
        await opened.close_guard()
