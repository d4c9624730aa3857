"""When a page is done: its timers ran, what they loaded is there, and what is in view is drawn.

A page that looks done may still have timers waiting, and nothing but waiting tells. So once it has loaded, its
clock is taken over (virtual time, CDP Emulation.setVirtualTimePolicy): half a second of timers runs as fast as the
machine can, and stands still while anything is being loaded. What networkidle waits for is seen without waiting.

Frames have the machine's time: none is drawn whose time the page's clock has not reached. So from then on that clock
is kept ahead of the machine's.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from pyppeteer.connection import CDPSession

from .scripts import IN_VIEW
from .traffic import Traffic
from .world import World

# What networkidle waits for.
BUDGET_MS = 500
MAX_ROUNDS = 8
# A request of which nothing is heard for so long is a stream, a long poll, or dead.
PATIENCE_SECONDS = 1.0
MAX_GRANTS = 4
CLOSE_MS = 5
CLOCK_SECONDS = 1.0
SLICE_SECONDS = 0.05
NOTHING_SLICES = 4
FINISH_SECONDS = 1.5
# What no clock of the page governs: messages of sockets, and workers. As long as networkidle would give them.
OUTSIDE_SECONDS = 0.5
# How far the page's clock is ahead of the machine's when a frame is needed, and how often that is looked after.
LEAD_MS = 400
KEEP_SECONDS = 0.1

# No timer: they stand still meanwhile. Returns what the layout looks like.
FINISH = (
    "(async () => {"
    + IN_VIEW
    + """
  const frame = () => new Promise(requestAnimationFrame);
  // A lazy image begins to load when a frame has shown that it is in view; until then it calls itself complete.
  await frame();
  await frame();
  await document.fonts.ready;
  await Promise.all([...document.images].filter(inView).map(image => image.decode().catch(() => {})));
  // What moves in ends where it was going to; what moves for ever goes on.
  for (const animation of document.getAnimations()) {
    if (Number.isFinite(animation.effect?.getComputedTiming().endTime)) {
      try { animation.finish(); } catch { }
    }
  }
  await frame();
  const root = document.documentElement;
  const boxes = [...document.querySelectorAll('body *')].slice(0, 2000).filter(inView).slice(0, 200).map(element => {
    const box = element.getBoundingClientRect();
    return [box.x, box.y, box.width, box.height, element.getAttribute('style'), element.className].join();
  });
  return [root?.scrollHeight, document.getElementsByTagName('*').length, document.images.length, ...boxes].join(';');
})()"""
)


class Settling:
    """Settles one page, once its document has loaded."""

    def __init__(self, session: CDPSession, world: World, traffic: Traffic) -> None:
        self._session = session
        self._world = world
        self._traffic = traffic
        # The machine's clock in seconds and the page's in milliseconds, when that was taken over.
        self._began = 0.0
        self._page_began = self._page_now = 0.0
        self._keeper: asyncio.Task[None] | None = None
        self._expired = asyncio.Event()
        session.on("Emulation.virtualTimeBudgetExpired", self._on_expired)

    async def settle(self) -> None:
        """Return when nothing moves any more. The caller bounds the time."""
        seen = await self._world.evaluate_within(FINISH, FINISH_SECONDS)
        self._began, self._page_began = time.monotonic(), await self._clock()
        for number in range(MAX_ROUNDS):
            requests = self._traffic.started
            await self._run_timers()
            if number == 0:
                await self._hear_from_outside()
            looks = await self._world.evaluate_within(FINISH, FINISH_SECONDS)
            if looks is not None and looks == seen and self._traffic.started == requests and not self._traffic.pending:
                return
            seen = looks

    async def aclose(self) -> None:
        """Stop keeping the page's clock ahead."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None

    async def _run_timers(self) -> None:
        """Half a second of the page's time; what is loaded meanwhile takes none of it."""
        await self.aclose()
        try:
            end = await self._clock() + BUDGET_MS
            for _ in range(MAX_GRANTS):
                left = end - await self._clock()
                if left < CLOSE_MS:
                    return
                await self._run_for(left)
        finally:
            self._keeper = asyncio.create_task(self._keep_ahead())

    async def _run_for(self, budget_ms: float) -> None:
        """Until the budget runs out. One that was replaced runs out as well, so it may be sooner."""
        await self._grant("pauseIfNetworkFetchesPending", budget_ms)
        waited_for_nothing = 0
        while waited_for_nothing < NOTHING_SLICES:
            if await self._has_expired(SLICE_SECONDS):
                return
            # Polling stops the clock as well, and there is no end of it.
            waited_for_nothing += not self._traffic.pending
            if time.monotonic() - self._traffic.last_heard > PATIENCE_SECONDS:
                break
        # Its time stands still for what will not come: let it pass.
        self._traffic.forget_pending()
        await self._grant("advance", budget_ms)
        await self._has_expired(PATIENCE_SECONDS)

    async def _keep_ahead(self) -> None:
        while True:
            await self._catch_up()
            await asyncio.sleep(KEEP_SECONDS)

    async def _catch_up(self) -> None:
        lead = await self._clock() - self._page_began - (time.monotonic() - self._began) * 1000
        if lead < LEAD_MS:
            await self._grant("advance", LEAD_MS - lead + KEEP_SECONDS * 1000)

    async def _clock(self) -> float:
        """The page's, in milliseconds since the epoch as it sees it; the last one when it is too busy to say."""
        now = await self._world.evaluate_within("Date.now()", CLOCK_SECONDS)
        if now is not None:
            self._page_now = float(now)
        return self._page_now

    async def _grant(self, policy: str, budget_ms: float) -> None:
        self._expired.clear()
        await self._session.send("Emulation.setVirtualTimePolicy", {"policy": policy, "budget": budget_ms})

    async def _has_expired(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._expired.wait()
        except TimeoutError:
            return False

    async def _hear_from_outside(self) -> None:
        """Sockets and workers have clocks of their own."""
        left = self._traffic.outside_since + OUTSIDE_SECONDS - time.monotonic()
        if left > 0:
            await asyncio.sleep(left)

    def _on_expired(self, _: dict[str, Any]) -> None:
        self._expired.set()
