"""A tab with its guard, and the one that is opened ahead of the capture that will use it."""

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


class SpareTab:
    """The tab that is opened while another one is in use. Holds at most one, of one browser."""

    def __init__(self, guard: EgressGuard) -> None:
        self._guard = guard
        self._chromium: Chromium | None = None
        self._opening: asyncio.Task[GuardedTab] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def pop(self, chromium: Chromium) -> GuardedTab:
        """A tab of that browser: the spare one if there is one, else a new one. The caller bounds the time."""
        if self._chromium is not chromium:
            self.discard()
        opening, self._opening = self._opening, None
        if opening is not None:
            spare = await opening
            if not spare.tab.crash.done():
                return spare
            await spare.close_guard()
            await chromium.close_context(spare.tab.context_id)
        return await GuardedTab.open(chromium, self._guard)

    def refill(self, chromium: Chromium) -> None:
        """Start to open a spare tab unless there is one."""
        if self._opening is None and chromium.is_alive:
            self._chromium = chromium
            self._opening = asyncio.create_task(GuardedTab.open(chromium, self._guard))
            # Whoever pops the tab gets its error; retrieve it for the case that nobody does.
            self._opening.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def is_open(self) -> None:
        """Wait until the spare tab is open. Raises what opening it raises; the caller bounds the time."""
        if self._opening is not None:
            await asyncio.shield(self._opening)

    def discard(self) -> None:
        """Give up the spare tab: its browser is going to end, or has ended."""
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            closing = asyncio.create_task(_close_guard_of(opening))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Discard the spare tab, and return when its guard session has ended."""
        self.discard()
        await asyncio.gather(*self._closing)


async def _close_guard_of(opening: asyncio.Task[GuardedTab]) -> None:
    (opened,) = await asyncio.gather(opening, return_exceptions=True)
    if isinstance(opened, GuardedTab):
        await opened.close_guard()
