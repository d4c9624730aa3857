"""The page's clock, once it is taken over: it runs as fast as the machine can, and no further than it is told to.

Virtual time (CDP, Emulation.setVirtualTimePolicy). Frames are stamped with the machine's time, and a frame is painted
only once the page's clock has reached its time. So between its runs the page's clock is kept ahead of the machine's.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

from pyppeteer.connection import CDPSession

from .preparation import Preparation
from .traffic import Traffic
from .world import World

# A run is granted in several budgets, because a budget may end early, and is over when less than this is left.
MAX_BUDGETS = 4
MIN_BUDGET_MS = 5
CLOCK_SECONDS = 1.0
ADVANCE_SECONDS = 1.0
# How often the budget is checked, and for how many checks the clock may stand still without a pending request.
CHECK_SECONDS = 0.05
MAX_IDLE_CHECKS = 4
# How far the page's clock is kept ahead of the machine's, and how often that is checked.
LEAD_MS = 400
LEAD_CHECK_SECONDS = 0.1
# How long a skip takes at most where time is real.
MAX_SKIP_MS = 100
# Once the page's clock is ahead, frames tell the page's scripts the page's time, not the machine's: what a script moves
# from frame to frame would stand still until the machine has caught up.
STAMP_FRAMES = """(() => {
  const ahead = 200, request = globalThis.requestAnimationFrame;
  globalThis.requestAnimationFrame = new Proxy(request, {
    apply: (target, self, [callback, ...rest]) => Reflect.apply(target, self, [
      typeof callback !== 'function' ? callback : stamp => {
        const now = performance.now();
        return callback(now - stamp > ahead ? now : stamp);
      },
      ...rest,
    ]),
  });
})()"""


# Within a task, the page's time stands still once its clock is taken over: a script that waits for it in a loop would
# wait for ever. So a clock that is read as often as no other script reads it within a tick goes on by itself.
GO_ON = """(() => {
  const PATIENCE = 20000;
  const goingOn = (read, step) => {
    let before = -Infinity, told = -Infinity, repeats = 0;
    return (target, self, args) => {
      const now = Reflect.apply(read, self, args);
      repeats = now === before ? repeats + 1 : 0;
      before = now;
      return told = Math.max(now, repeats > PATIENCE ? told + step : told);
    };
  };
  const { now } = Performance.prototype, RealDate = Date, toldDate = goingOn(RealDate.now, 1);
  Performance.prototype.now = new Proxy(now, { apply: goingOn(now, 0.1) });
  RealDate.now = new Proxy(RealDate.now, { apply: toldDate });
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length ? args : [toldDate(null, RealDate, [])], newTarget),
  });
  RealDate.prototype.constructor = Date;
})()"""


def keep_time(page: Preparation) -> None:
    """Call before navigating: frames are stamped with the page's time from then on, and its clocks never stop."""
    page.send("Page.addScriptToEvaluateOnNewDocument", {"source": f"{STAMP_FRAMES};{GO_ON}"})


class PageClock:
    """The clock of one page. It is the page's own until `take_over`."""

    def __init__(self, session: CDPSession, world: World, traffic: Traffic) -> None:
        self._session = session
        self._world = world
        self._traffic = traffic
        # The machine's clock (seconds) and the page's (milliseconds) at the time when the latter was taken over.
        self._began: float | None = None
        self._page_began = self._page_now = 0.0
        # Whether the page keeps the clock that it has, and real time is waited for.
        self._is_own = False
        # The same of the moment from which on the page's time flows, whatever lead it has; None while it does not.
        self._flow_began: float | None = None
        self._flow_page = 0.0
        self._lead_task: asyncio.Task[None] | None = None
        self._expired = asyncio.Event()
        session.on("Emulation.virtualTimeBudgetExpired", self._on_expired)

    @property
    def is_taken_over(self) -> bool:
        return self._began is not None

    async def take_over(self) -> None:
        """Read the time from which on the page's clock is kept ahead. Idempotent.

        A page with a service worker keeps its own clock: what waits for that worker, whose time would stand still
        meanwhile, would wait for itself, and no frame is painted once the page's clock has fallen behind.
        """
        if self._began is None:
            self._is_own = self._traffic.external.has_service_worker
            self._began, self._page_began = time.monotonic(), await self._now()

    async def run(self, milliseconds: float) -> None:
        """Run the page's timers for so long. Its clock does not advance while anything is loading."""
        if self._is_own:
            await self._let_pass(milliseconds)
            return
        async with self._in_hand():
            end = await self._now() + milliseconds
            for _ in range(MAX_BUDGETS):
                left = end - await self._now()
                if left < MIN_BUDGET_MS:
                    return
                await self._run_for(left)

    def flow(self) -> None:
        """Until the next run, let as much time pass as really does, which is what workers and servers need.

        Otherwise the page's clock stands still after a run until the machine's has caught up.
        """
        self._flow_began, self._flow_page = time.monotonic(), self._page_now

    async def skip(self, milliseconds: float) -> None:
        """Run the page's timers for so long, whatever is loading."""
        if self._is_own:
            await asyncio.sleep(min(milliseconds, MAX_SKIP_MS) / 1000)
            return
        async with self._in_hand():
            await self._advance(milliseconds)

    async def aclose(self) -> None:
        """Stop keeping the page's clock ahead."""
        if self._lead_task is not None:
            self._lead_task.cancel()
            await asyncio.gather(self._lead_task, return_exceptions=True)
            self._lead_task = None

    @contextlib.asynccontextmanager
    async def _in_hand(self) -> AsyncIterator[None]:
        """Afterwards, the clock is kept ahead again."""
        await self.aclose()
        self._flow_began = None
        try:
            yield
        finally:
            self._lead_task = asyncio.create_task(self._keep_ahead())

    async def _let_pass(self, milliseconds: float) -> None:
        """Let real time pass in which nothing is loading."""
        for _ in range(MAX_BUDGETS):
            await self._traffic.wait_for_answers()
            await asyncio.sleep(milliseconds / 1000)
            if not self._traffic.pending:
                return

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
            if self._traffic.external.has_service_worker and self._traffic.pending:
                await self._tick(budget_ms)
        # The clock stands still for requests that are not waited for: let it advance anyway.
        await self._advance(budget_ms)

    async def _tick(self, budget_ms: float) -> None:
        """Let the time pass that has really passed. Afterwards, the budget is as large as it was."""
        await self._advance(CHECK_SECONDS * 1000)
        await self._set_budget("pauseIfNetworkFetchesPending", budget_ms)

    async def _advance(self, budget_ms: float) -> None:
        await self._set_budget("advance", budget_ms)
        await self._has_expired(ADVANCE_SECONDS)

    async def _keep_ahead(self) -> None:
        while True:
            await self._catch_up()
            await asyncio.sleep(LEAD_CHECK_SECONDS)

    async def _catch_up(self) -> None:
        page, now = await self._now(), time.monotonic()
        wanted = self._page_began + (now - (self._began or 0.0)) * 1000 + LEAD_MS
        if self._flow_began is not None:
            wanted = max(wanted, self._flow_page + (now - self._flow_began) * 1000)
        if page < wanted:
            await self._set_budget("advance", wanted - page + LEAD_CHECK_SECONDS * 1000)

    async def _now(self) -> float:
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

    def _on_expired(self, _: dict[str, Any]) -> None:
        self._expired.set()
