"""Settling a page: its timers have run, what they requested has loaded, and everything in view is painted.

A page that looks done may still have timers pending, which only waiting can tell. So once the page has loaded, its
clock is taken over: half a second of timers runs as fast as the machine can, and pauses while anything is loading. This
sees what networkidle waits for, without the wait.
"""

from __future__ import annotations

import asyncio
import itertools
import time

from pyppeteer.connection import CDPSession

from .animations import END_ANIMATIONS, wait_for_stillness
from .clock import PageClock
from .elements import WALK
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
FINISH_SECONDS = 1.5

# A function for other scripts: a fingerprint of what is not in view, which is part of a full page. Numbers that count,
# and charts that are drawn. What only moves there, such as a carousel, is not worth waiting for.
OUT_OF_VIEW = """const outOfView = () => {
    const scratch = new OffscreenCanvas(64, 64).getContext('2d', { willReadFrequently: true });
    const parts = [];
    for (const root of rootsOf(document)) {
      parts.push((root.body ?? root).textContent);
      for (const canvas of [...root.querySelectorAll('canvas')].slice(0, 20)) {
        if (inView(canvas) || !canvas.width || !canvas.height) continue;
        scratch.clearRect(0, 0, 64, 64);
        scratch.drawImage(canvas, 0, 0, 64, 64);
        // The page may not read what another site has drawn.
        try { parts.push(scratch.getImageData(0, 0, 64, 64).data.join()); } catch { }
      }
    }
    let hash = 0;
    for (const part of parts) for (let i = 0; i < part.length; i++) hash = (hash * 31 + part.charCodeAt(i)) | 0;
    return hash;
  };"""

# Uses no timers, which stand still meanwhile. Returns a fingerprint of the layout; the argument is whether of all that
# is out of view as well.
FINISH = (
    "(async isWhole => {"
    + IN_VIEW
    + END_ANIMATIONS
    + OUT_OF_VIEW
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
  // What moves forever does not come to rest.
  const endless = document.getAnimations().slice(0, 100)
    .filter(animation => animation.effect?.getComputedTiming().endTime === Infinity)
    .map(animation => animation.effect.target);
  const rests = element => !endless.some(target => target?.contains(element));
  const seen = [...document.querySelectorAll('body *')].slice(0, 2000).filter(inView).slice(0, 200).filter(rests);
  const boxes = seen.map(element => {
    const box = element.getBoundingClientRect();
    return [box.x, box.y, box.width, box.height, element.getAttribute('style'), element.className,
      element.childElementCount ? '' : element.textContent.slice(0, 100)].join();
  });
  const counts = [root?.scrollHeight, document.getElementsByTagName('*').length, document.images.length];
  return [...counts, ...boxes, isWhole ? outOfView() : ''].join(';');
})(%s)"""
)

# The same for a page in which no script can react, so that hardly any frame is needed: the screenshot paints one. A
# forced layout asks for what another window needs, but images choose their source in a frame (HTML, "Reacting to
# environment changes").
FINISH_INERT = (
    "(async () => {"
    + IN_VIEW
    + END_ANIMATIONS
    + """
  document.documentElement?.getBoundingClientRect();
  if (document.querySelector('source, [srcset]')) {
    for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame);
  }
  endAnimations();
  if (document.fonts.status === 'loading') await document.fonts.ready;
  await Promise.all([...document.images].filter(inView).map(image => image.decode().catch(() => {})));
})()"""
)

# Watches for what scripts change in the document from now on: to be run before a page gets another window.
WATCH = (
    "(() => {"
    + WALK
    + """
  globalThis.stillframeChanges?.disconnect();
  const changes = globalThis.stillframeChanges = new MutationObserver(() => { changes.hasFound = true; });
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  for (const root of rootsOf(document)) changes.observe(root, all);
})()"""
)
# Whether they have changed anything, once the frame has come that tells them of a new window.
REACTED = """(async () => {
  for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame);
  const changes = globalThis.stillframeChanges;
  return !changes || changes.hasFound === true || changes.takeRecords().length > 0;
})()"""


class Settling:
    """Settles one page, once its document has loaded. `is_whole` is whether all of it will be shown, or the window."""

    def __init__(
        self, session: CDPSession, world: World, traffic: Traffic, clock: PageClock, *, is_whole: bool
    ) -> None:
        self._session = session
        self._world = world
        self._traffic = traffic
        self._clock = clock
        self._finish = FINISH % str(is_whole).lower()

    async def settle(self) -> None:
        """Return when the page no longer changes. The caller bounds the time.

        Raises TimeoutError if the page no longer answers what it looks like.
        """
        await self._settle_layout()
        await wait_for_stillness(self._session, self._world, self._traffic)

    async def settle_again(self) -> None:
        """Like `settle`, in another window than before, after WATCH.

        What the page looks like follows from its window alone, unless a script changes it or requests something. So it
        is enough that no script has, within the time that `settle` gives it.
        """
        requests = self._traffic.started
        has_reacted = await self._world.evaluate_within(REACTED, FINISH_SECONDS)
        if has_reacted is False:
            await self._clock.run(ROUND_MS)
            await self._world.evaluate_within(FINISH_INERT, FINISH_SECONDS)
            has_reacted = await self._world.evaluate_within(REACTED, FINISH_SECONDS)
        if has_reacted is not False or self._traffic.started != requests or self._traffic.pending:
            await self.settle()
        else:
            await wait_for_stillness(self._session, self._world, self._traffic)

    async def finish(self) -> None:
        """The same for a page that had settled, and in which nothing reacts. If it requests anything, it settles."""
        requests = self._traffic.started
        await self._world.evaluate_within(FINISH_INERT, FINISH_SECONDS)
        if self._traffic.started != requests or self._traffic.pending:
            await self.settle()

    async def _settle_layout(self) -> None:
        previous_layout = await self._world.evaluate_within(self._finish, FINISH_SECONDS)
        await self._clock.take_over()
        started = time.monotonic()
        for number in itertools.count():
            requests = self._traffic.started
            await self._clock.run(ROUND_MS)
            if self._traffic.external.has_begun:
                self._clock.flow()
            await self._traffic.wait()
            asked = time.monotonic()
            layout = await self._world.evaluate_within(self._finish, FINISH_SECONDS)
            # A document without such a layout answers at once, with nothing.
            is_stuck = layout is None and time.monotonic() - asked >= FINISH_SECONDS
            has_new_traffic = self._traffic.started != requests or self._traffic.pending
            if layout is not None and layout == previous_layout and not has_new_traffic:
                return
            if number >= MAX_ROUNDS - 1 and time.monotonic() - started > MOVING_SECONDS:
                if is_stuck:
                    raise TimeoutError("the page has not painted a frame in the last round")
                return
            if number >= MOVING_ROUNDS and not has_new_traffic:
                await asyncio.sleep(MOVING_PAUSE_SECONDS)
            previous_layout = layout
