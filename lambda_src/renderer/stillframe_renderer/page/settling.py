"""Settling a page: its timers have run, what they requested has loaded, and everything in view is painted.

A page that looks done may still have timers pending, which only waiting can tell. So once the page has loaded, its
clock is taken over (virtual time, CDP Emulation.setVirtualTimePolicy): half a second of timers runs as fast as the
machine can, and pauses while anything is loading. This sees what networkidle waits for, without the wait.

Frames are stamped with the machine's time, and a frame is painted only once the page's clock has reached its time. So
from then on the page's clock is kept ahead of the machine's.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Any

from pyppeteer.connection import CDPSession

from .animations import END_ANIMATIONS, wait_for_stillness
from .scripts import IN_VIEW
from .traffic import Traffic
from .world import World

# The virtual time that a page gets per round. It is as long as networkidle waits.
ROUND_MS = 500
MAX_ROUNDS = 8
# Frames follow the machine's clock. A page that still moves after all rounds gets this much time since the first one,
# with pauses: animations that are drawn by scripts take about a second or two.
MOVING_SECONDS = 3.0
MOVING_ROUNDS = 3
MOVING_PAUSE_SECONDS = 0.1
# A round is granted in several budgets, because a budget may end early, and is over when less than this is left.
MAX_BUDGETS = 4
MIN_BUDGET_MS = 5
CLOCK_SECONDS = 1.0
# How often the budget is checked, and for how many checks the clock may stand still without a pending request.
CHECK_SECONDS = 0.05
MAX_IDLE_CHECKS = 4
FINISH_SECONDS = 1.5
ADVANCE_SECONDS = 1.0
# Socket messages and workers do not follow the page's clock. They get as much real time as networkidle would give them.
EXTERNAL_SECONDS = 0.5
# How far the page's clock is kept ahead of the machine's, and how often that is checked.
LEAD_MS = 400
LEAD_CHECK_SECONDS = 0.1

# Uses no timers, which stand still meanwhile. Returns a fingerprint of the layout.
FINISH = (
    "(async () => {"
    + IN_VIEW
    + END_ANIMATIONS
    + """
  const frame = () => new Promise(requestAnimationFrame);
  // A lazy image begins to load when a frame has shown that it is in view; until then it calls itself complete.
  await frame();
  await frame();
  // In a document that has broken off, the promise is never kept.
  if (document.fonts.status === 'loading') await document.fonts.ready;
  await Promise.all([...document.images].filter(inView).map(image => image.decode().catch(() => {})));
  endAnimations();
  await frame();
  const root = document.documentElement;
  const boxes = [...document.querySelectorAll('body *')].slice(0, 2000).filter(inView).slice(0, 200).map(element => {
    const box = element.getBoundingClientRect();
    return [box.x, box.y, box.width, box.height, element.getAttribute('style'), element.className,
      element.childElementCount ? '' : element.textContent.slice(0, 100)].join();
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
        # The machine's clock (seconds) and the page's (milliseconds) at the time when the latter was taken over.
        self._began = 0.0
        self._page_began = self._page_now = 0.0
        self._lead_task: asyncio.Task[None] | None = None
        self._expired = asyncio.Event()
        session.on("Emulation.virtualTimeBudgetExpired", self._on_expired)

    async def settle(self) -> None:
        """Return when the page no longer changes. The caller bounds the time."""
        await self._settle_layout()
        await wait_for_stillness(self._session, self._world, self._traffic)

    async def _settle_layout(self) -> None:
        previous_layout = await self._world.evaluate_within(FINISH, FINISH_SECONDS)
        self._began, self._page_began = time.monotonic(), await self._clock()
        for number in itertools.count():
            requests = self._traffic.started
            await self._run_timers()
            if number == 0:
                await self._wait_for_external_events()
            layout = await self._world.evaluate_within(FINISH, FINISH_SECONDS)
            has_new_traffic = self._traffic.started != requests or self._traffic.pending
            if layout is not None and layout == previous_layout and not has_new_traffic:
                return
            if number >= MAX_ROUNDS - 1 and time.monotonic() - self._began > MOVING_SECONDS:
                return
            if number >= MOVING_ROUNDS and not has_new_traffic:
                await asyncio.sleep(MOVING_PAUSE_SECONDS)
            previous_layout = layout

    async def aclose(self) -> None:
        """Stop keeping the page's clock ahead."""
        if self._lead_task is not None:
            self._lead_task.cancel()
            await asyncio.gather(self._lead_task, return_exceptions=True)
            self._lead_task = None

    async def _run_timers(self) -> None:
        """Run half a second of the page's time, which does not advance while anything is loading."""
        await self.aclose()
        try:
            end = await self._clock() + ROUND_MS
            for _ in range(MAX_BUDGETS):
                left = end - await self._clock()
                if left < MIN_BUDGET_MS:
                    return
                await self._run_for(left)
        finally:
            self._lead_task = asyncio.create_task(self._keep_ahead())

    async def _run_for(self, budget_ms: float) -> None:
        """Run until the budget expires. A budget that was replaced expires as well, so this may return early."""
        await self._set_budget("pauseIfNetworkFetchesPending", budget_ms)
        idle_checks = 0
        while idle_checks < MAX_IDLE_CHECKS:
            if await self._has_expired(CHECK_SECONDS):
                return
            self._traffic.give_up_overdue()
            # Polls and streams stop the clock as well, but do not count as pending.
            idle_checks += not self._traffic.pending
        # The clock stands still for requests that are not waited for: let it advance anyway.
        await self._set_budget("advance", budget_ms)
        await self._has_expired(ADVANCE_SECONDS)

    async def _keep_ahead(self) -> None:
        while True:
            await self._catch_up()
            await asyncio.sleep(LEAD_CHECK_SECONDS)

    async def _catch_up(self) -> None:
        lead = await self._clock() - self._page_began - (time.monotonic() - self._began) * 1000
        if lead < LEAD_MS:
            await self._set_budget("advance", LEAD_MS - lead + LEAD_CHECK_SECONDS * 1000)

    async def _clock(self) -> float:
        """The page's clock in milliseconds since the epoch, or its last value if the page is too busy to respond."""
        now = await self._world.evaluate_within("Date.now()", CLOCK_SECONDS)
        if now is not None:
            self._page_now = float(now)
        return self._page_now

    async def _set_budget(self, policy: str, budget_ms: float) -> None:
        self._expired.clear()
        await self._session.send("Emulation.setVirtualTimePolicy", {"policy": policy, "budget": budget_ms})

    async def _has_expired(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._expired.wait()
        except TimeoutError:
            return False

    async def _wait_for_external_events(self) -> None:
        """Give sockets and workers, which do not follow the page's clock, some real time."""
        left = self._traffic.external_since + EXTERNAL_SECONDS - time.monotonic()
        if left > 0:
            await asyncio.sleep(left)

    def _on_expired(self, _: dict[str, Any]) -> None:
        self._expired.set()
