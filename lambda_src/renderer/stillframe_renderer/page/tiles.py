"""A full page in tiles: for pages that show things only while they are in view, such as lists that reuse their rows."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from pyppeteer.connection import CDPSession

from stillframe.request.options import ImageFormat, RenderOptions

from .animations import END_ANIMATIONS
from .camera import Camera, Layout
from .clock import PageClock
from .cutting import BLOCKS, cut
from .elements import ELEMENTS, WALK, Box
from .fixed import IS_AT_BOTTOM
from .masks import cover
from .scripts import ADOPT_UNTIL_RESTORED, PAINTED, SET_STYLES
from .scrollers import GO_TO, MAIN_SCROLLER, STOP_MS, let_scrollers_grow, let_scrollers_shrink
from .scrolling import wait_for_loads
from .stitching import Tile, stitch
from .traffic import Traffic
from .world import World

# Tiles overlap: what comes into view is shown only when it is well in view. They do not on a page of more windows than
# half as many.
MAX_TILES = 50
LOAD_SECONDS = 5.0

# Shows what lies over the page in one tile only: at the top of the page, or at its bottom. Returns how far down it
# reaches in the first tile, and how far up in the last, in CSS pixels of what scrolls.
SHOW_ONCE = (
    "(() => {"
    + WALK
    + ELEMENTS
    + IS_AT_BOTTOM
    + MAIN_SCROLLER
    + SET_STYLES
    + """
  const isFirst = %s, isLast = %s, scroller = mainScroller(), around = new Set();
  const y = scroller ? scroller.getBoundingClientRect().top + scroller.clientTop : 0;
  let down = 0, up = Infinity;
  const coversWindow = element => {
    const box = element.getBoundingClientRect();
    return box.left <= 0 && box.top <= 0 && box.right >= innerWidth && box.bottom >= innerHeight;
  };
  for (let node = scroller; node; node = parentOf(node)) around.add(node);
  for (const element of elementsOf(document)) {
    if (around.has(element)) continue;
    const style = getComputedStyle(element), isInside = scroller?.contains(element) ?? true;
    if (style.position === 'sticky' && isInside) set(element, { position: 'relative' });
    // A background that fills the window is behind every part of the page.
    if (style.position === 'fixed' && parseInt(style.zIndex) < 0 && coversWindow(element)) continue;
    if (style.position !== 'fixed' && (style.position !== 'absolute' || isInside)) {
      // What was fixed until its own place came into view is shown there.
      if ('stillframeIsBelow' in element) set(element, { visibility: '' });
      continue;
    }
    const box = element.getBoundingClientRect();
    element.stillframeIsBelow ??= isAtBottom(box);
    set(element, { visibility: (element.stillframeIsBelow ? isLast : isFirst) ? '' : 'hidden' });
    if (box.width * box.height === 0) continue;
    if (element.stillframeIsBelow) up = Math.min(up, box.top - y); else down = Math.max(down, box.bottom - y);
  }
  return { down, up: Math.min(up, innerHeight) };
})()"""
)
DO_NOT_SNAP = ADOPT_UNTIL_RESTORED % json.dumps("* { scroll-snap-type: none !important }")
# A page that gets smaller when its animations end is scrolled back to its end by the next frame.
FINISH_TILE = "(async () => {" + END_ANIMATIONS + "endAnimations();" + PAINTED + "})()"
# How far the page is scrolled, how far it goes, and the part of the window that scrolls. In CSS pixels.
PLACE_OF_TILE = (
    "(() => {"
    + WALK
    + MAIN_SCROLLER
    + """
  const scroller = mainScroller(), root = document.scrollingElement ?? document.documentElement;
  const what = (scroller && innerOf(scroller)) ?? scroller ?? root, box = scroller?.getBoundingClientRect();
  return {
    scrolled: what?.scrollTop ?? 0, end: what?.scrollHeight ?? 0,
    x: box ? box.left + scroller.clientLeft : 0, y: box ? box.top + scroller.clientTop : 0,
    width: scroller ? scroller.clientWidth : innerWidth, height: scroller ? scroller.clientHeight : innerHeight,
  };
})()"""
)


class Tiling:
    """Takes the full page of one capture in tiles."""

    def __init__(
        self, session: CDPSession, world: World, traffic: Traffic, clock: PageClock, options: RenderOptions
    ) -> None:
        self._session = session
        self._world = world
        self._traffic = traffic
        self._clock = clock
        self._options = options

    async def screenshot(self, layout: Layout, *, is_grown: bool) -> bytes:
        """An image in the requested format. `is_grown` is whether an element scrolled in place of the window."""
        height = min(layout.height, self._options.height_cap)
        if not is_grown:
            tiles, end = await self._take(height)
            # A page may be less tall once everything is shown.
            return await asyncio.to_thread(stitch, tiles, min(height, end), self._options)
        # What is around the scroller is as it is when that has grown; what is in it comes from the tiles.
        await let_scrollers_shrink(self._world)
        tiles, _ = await self._take(height)
        await self._world.evaluate(GO_TO % 0)
        await let_scrollers_grow(self._world)
        await self._clock.skip(STOP_MS)
        await cover(self._world, self._options)
        as_png = self._options.model_copy(update={"format": ImageFormat.PNG, "quality": None, "max_height": height})
        base = (await Camera(self._session, self._world, as_png).screenshot(layout)).data
        return await asyncio.to_thread(stitch, tiles, height, self._options, base)

    async def _take(self, height: int) -> tuple[list[Tile], int]:
        """Scroll from tile to tile. Returns them, and where the page ends."""
        # The page would go where it snaps, and not where the next tile begins.
        await self._world.evaluate(DO_NOT_SNAP)
        tiles: list[Tile] = []
        top = taken = 0.0
        end = 0
        while len(tiles) < MAX_TILES:
            await self._world.evaluate(GO_TO % top)
            await self._clock.skip(STOP_MS)
            await wait_for_loads(self._traffic, LOAD_SECONDS)
            await self._world.evaluate(FINISH_TILE)
            place: dict[str, Any] = await self._world.evaluate(PLACE_OF_TILE)
            end, bottom, view = int(place["end"]), min(height, int(place["end"])), int(place["height"])
            is_last = top + view >= bottom
            once = await self._world.evaluate(SHOW_ONCE % (str(top == 0).lower(), str(is_last).lower()))
            await cover(self._world, self._options)
            has_room = bottom - taken <= view * (MAX_TILES - len(tiles)) // 2
            blocks = await self._world.evaluate(BLOCKS) if has_room else []
            until, following = cut(blocks, taken, top, view) if has_room else (top + view, top + view)
            if is_last:
                until = bottom
            elif top == 0:
                until = max(until, min(view, int(once["down"])))
            if is_last:
                taken = min(taken, int(place["scrolled"] + once["up"]))
            tiles.append(await self._tile(taken, until))
            top, taken = following, until
            if is_last:
                break
        return tiles, end

    async def _tile(self, top: float, bottom: float) -> Tile:
        # What is shown once or covered may have changed the place.
        place: dict[str, Any] = await self._world.evaluate(PLACE_OF_TILE)
        answer = await self._session.send("Page.captureScreenshot", {"format": "png", "optimizeForSpeed": True})
        part = Box(place["x"], place["y"], place["x"] + place["width"], place["y"] + place["height"])
        return Tile(answer["data"].content, part, place["scrolled"], top, bottom)
