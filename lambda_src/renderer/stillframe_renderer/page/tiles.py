"""A full page in tiles: for pages that show things only while they are in view, such as lists that reuse their rows."""

from __future__ import annotations

import asyncio
from typing import Any

from pyppeteer.connection import CDPSession

from stillframe.request.options import ImageFormat, RenderOptions

from .animations import END_ANIMATIONS
from .camera import Camera, Layout
from .clock import PageClock
from .elements import WALK
from .fixed import IS_AT_BOTTOM
from .masks import cover
from .scripts import SET_STYLES
from .scrollers import GO_TO, MAIN_SCROLLER, STOP_MS, let_scrollers_grow, let_scrollers_shrink
from .scrolling import wait_for_loads
from .stitching import Rectangle, Tile, stitch
from .traffic import Traffic
from .world import World

MAX_TILES = 40
LOAD_SECONDS = 5.0

# Shows what lies over the page in one tile only: at the top of the page, or at its bottom.
SHOW_ONCE = (
    "(() => {"
    + WALK
    + IS_AT_BOTTOM
    + MAIN_SCROLLER
    + SET_STYLES
    + """
  const isFirst = %s, isLast = %s, scroller = mainScroller(), around = new Set();
  for (let node = scroller; node; node = parentOf(node)) around.add(node);
  for (const element of document.querySelectorAll('body *')) {
    if (around.has(element)) continue;
    const style = getComputedStyle(element), isInside = scroller?.contains(element) ?? true;
    if (style.position === 'sticky' && isInside) set(element, { position: 'relative' });
    if (style.position !== 'fixed' && (style.position !== 'absolute' || isInside)) continue;
    element.stillframeIsBelow ??= isAtBottom(element.getBoundingClientRect());
    set(element, { visibility: (element.stillframeIsBelow ? isLast : isFirst) ? '' : 'hidden' });
  }
})()"""
)
# How far the page is scrolled, how far it goes, and the part of the window that scrolls. In CSS pixels.
FINISH_TILE = (
    "(() => {"
    + END_ANIMATIONS
    + MAIN_SCROLLER
    + """
  endAnimations();
  const scroller = mainScroller(), root = document.scrollingElement ?? document.documentElement;
  const what = (scroller && innerOf(scroller)) ?? scroller ?? root, box = scroller?.getBoundingClientRect();
  return {
    scrolled: what.scrollTop, end: what.scrollHeight,
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
        """Scroll from window to window. Returns the tiles, and where the page ends."""
        tiles: list[Tile] = []
        top = end = 0
        while len(tiles) < MAX_TILES:
            await self._world.evaluate(GO_TO % top)
            await self._clock.skip(STOP_MS)
            await wait_for_loads(self._traffic, LOAD_SECONDS)
            place: dict[str, Any] = await self._world.evaluate(FINISH_TILE)
            end, bottom = int(place["end"]), min(height, int(place["end"]))
            is_last = top + place["height"] >= bottom
            await self._world.evaluate(SHOW_ONCE % (str(top == 0).lower(), str(is_last).lower()))
            await cover(self._world, self._options)
            tiles.append(await self._tile(top, place))
            top += int(place["height"])
            if is_last:
                break
        return tiles, end

    async def _tile(self, top: int, place: dict[str, Any]) -> Tile:
        answer = await self._session.send("Page.captureScreenshot", {"format": "png", "optimizeForSpeed": True})
        # The last window ends with the page, so that it begins before its tile.
        part = Rectangle(place["x"], place["y"], place["width"], place["height"])
        return Tile(answer["data"].content, part, top, top - place["scrolled"])
