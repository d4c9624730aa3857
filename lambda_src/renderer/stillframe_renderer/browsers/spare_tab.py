"""A tab and its guard, opened ahead of the capture that will have them."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from ..chromium.browser import Chromium
from ..chromium.tab import Tab
from ..guard.server import EgressGuard
from ..guard.session import GuardSession


@dataclass(frozen=True, slots=True)
class GuardedTab:
    """Nothing of a request is in it: it is for whichever comes next."""

    tab: Tab
    session: GuardSession
    _guard: contextlib.AsyncExitStack

    @classmethod
    async def open(cls, chromium: Chromium, guard: EgressGuard) -> GuardedTab:
        """The caller bounds the time."""
        stack = contextlib.AsyncExitStack()
        session = await stack.enter_async_context(guard.session())
        try:
            return cls(await Tab.open(chromium, session.url), session, stack)
        except BaseException:
            await stack.aclose()
            raise

    async def close_guard(self) -> None:
        """End the guard with all of its connections."""
        await self._guard.aclose()


class SpareTab:
    """The tab that is opened while the one before it is in use. Holds one at most, of one browser."""

    def __init__(self, guard: EgressGuard) -> None:
        self._guard = guard
        self._chromium: Chromium | None = None
        self._opening: asyncio.Task[GuardedTab] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def take(self, chromium: Chromium) -> GuardedTab:
        """A tab of that browser, the prepared one if there is one. The caller bounds the time."""
        if self._chromium is not chromium:
            self.discard()
        opening, self._opening = self._opening, None
        if opening is not None:
            ready = await opening
            if not ready.tab.crash.done():
                return ready
            await ready.close_guard()
            await chromium.close_context(ready.tab.context_id)
        return await GuardedTab.open(chromium, self._guard)

    def prepare(self, chromium: Chromium) -> None:
        """Begin to open one, if none is there."""
        if self._opening is None and chromium.is_alive:
            self._chromium = chromium
            self._opening = asyncio.create_task(GuardedTab.open(chromium, self._guard))
            # Whoever takes it hears of it; nobody may.
            self._opening.add_done_callback(lambda task: task.cancelled() or task.exception())

    def discard(self) -> None:
        """Let go of it: its browser is to end, or has ended."""
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            closing = asyncio.create_task(_end(opening))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Discard it, and return when its guard is gone."""
        self.discard()
        await asyncio.gather(*self._closing)


async def _end(opening: asyncio.Task[GuardedTab]) -> None:
    (ready,) = await asyncio.gather(opening, return_exceptions=True)
    if isinstance(ready, GuardedTab):
        await ready.close_guard()
