"""A full page in tiles: for pages that show things only while they are in view, such as lists that reuse their rows.

While such a page is scrolled through, what is shown at each stop is remembered. If it is gone once the page is back at
the top, and a visit to its place brings it back, then no single screenshot can have all of it.
"""

from __future__ import annotations

import asyncio
import io
from typing import Any

from pyppeteer.connection import CDPSession

from stillframe.request.options import ImageFormat, RenderOptions

from .animations import END_ANIMATIONS
from .clock import PageClock
from .imaging import DEFAULT_AVIF_QUALITY, to_avif
from .scripts import IS_SHOWN
from .scrolling import GO_TO, STOP_MS, wait_for_loads
from .traffic import Traffic
from .world import World

MAX_TILES = 40
LOAD_SECONDS = 5.0
DEFAULT_QUALITY = 80

# What is lost at the top of a page, of what was remembered at its stops (`scrolling.REMEMBER`): elements that are
# hidden now, and rows that were removed without others in their place. Returns the position of the last one, which is
# the farthest from what the top shows.
FIND_LOST = (
    "(() => {"
    + END_ANIMATIONS
    + IS_SHOWN
    + """
  endAnimations();
  let lost = null;
  globalThis.stillframeLost = [];
  for (const [element, { parent, top, bottom, stop }] of globalThis.stillframeSeen ?? []) {
    if (element.isConnected) {
      if (isShown(element)) continue;
      globalThis.stillframeLost.push(element);
      if (stop > (lost?.stop ?? -1)) lost = { stop, isRemoved: false };
    } else if (parent?.isConnected && getComputedStyle(parent).display !== 'none') {
      const isReplaced = [...parent.children].some(child => {
        const box = child.getBoundingClientRect();
        return box.bottom + scrollY > top + 1 && box.top + scrollY < bottom - 1;
      });
      if (!isReplaced) return { stop, isRemoved: true };
    }
  }
  return lost;
})()"""
)
# Whether something that was remembered at this stop and is hidden at the top is shown again.
IS_BACK = (
    "(() => {"
    + END_ANIMATIONS
    + IS_SHOWN
    + """
  endAnimations();
  return globalThis.stillframeLost.some(element =>
    globalThis.stillframeSeen.get(element).stop === %d && element.isConnected && isShown(element));
})()"""
)
# Shows what is fixed in one tile only: at the top of the page, or at its bottom.
SHOW_FIXED = """(() => {
  const isFirst = %s, isLast = %s;
  for (const element of document.querySelectorAll('body *')) {
    const style = getComputedStyle(element);
    if (style.position === 'sticky') element.style.setProperty('position', 'relative', 'important');
    if (style.position !== 'fixed') continue;
    const box = element.getBoundingClientRect();
    element.stillframeIsBelow ??= innerHeight - box.bottom < box.top;
    const isShown = element.stillframeIsBelow ? isLast : isFirst;
    element.style.setProperty('visibility', isShown ? '' : 'hidden', 'important');
  }
})()"""
FINISH_TILE = "(() => {" + END_ANIMATIONS + "endAnimations(); return scrollY; })()"


async def shows_only_in_view(world: World, clock: PageClock) -> bool:
    """Whether the page, which was scrolled through and is back at the top, has hidden again what it showed."""
    lost = await world.evaluate(FIND_LOST)
    if lost is None:
        return False
    if lost["isRemoved"]:
        return True
    await world.evaluate(GO_TO % lost["stop"])
    await clock.skip(STOP_MS)
    is_back = bool(await world.evaluate(IS_BACK % lost["stop"]))
    await world.evaluate(GO_TO % 0)
    await clock.skip(STOP_MS)
    return is_back


async def take_tiles(
    session: CDPSession, world: World, traffic: Traffic, clock: PageClock, height: int, options: RenderOptions
) -> bytes:
    """Screenshots of one window after the other, put together. `height` is in CSS pixels."""
    window = options.viewport.height
    tops = range(0, height, max(window, -(-height // MAX_TILES)))
    tiles: list[tuple[bytes, int, int]] = []
    for top in tops:
        await world.evaluate(GO_TO % top)
        await clock.skip(STOP_MS)
        await wait_for_loads(traffic, LOAD_SECONDS)
        await world.evaluate(SHOW_FIXED % (str(top == 0).lower(), str(top == tops[-1]).lower()))
        # The last window ends with the page, so that it begins before its tile.
        scrolled = int(await world.evaluate(FINISH_TILE))
        # A page may be less tall once everything is shown.
        height = min(height, scrolled + window) if top == tops[-1] else height
        answer: dict[str, Any] = await session.send(
            "Page.captureScreenshot", {"format": "png", "optimizeForSpeed": True}
        )
        if top - scrolled < window:
            tiles.append((answer["data"].content, top, top - scrolled))
    return await asyncio.to_thread(_put_together, tiles, height, options)


def _put_together(tiles: list[tuple[bytes, int, int]], height: int, options: RenderOptions) -> bytes:
    """Paste tiles (PNG, where they begin on the page, and how much of their top is not theirs) into one image."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    scale = options.device_scale_factor
    size = (round(options.viewport.width * scale), round(height * scale))
    # A page may be less tall at one stop than at another; what no tile has is as blank as the rest.
    whole = Image.new("RGBA", size, (255, 255, 255, 0 if options.omit_background else 255))
    for data, top, above in tiles:
        with Image.open(io.BytesIO(data)) as tile:
            part = tile.crop((0, round(above * scale), tile.width, tile.height))
            whole.paste(part, (0, round(top * scale)))
    out = io.BytesIO()
    image_format = options.format
    if image_format is ImageFormat.JPEG:
        whole.convert("RGB").save(out, "jpeg", quality=options.quality or DEFAULT_QUALITY)
    elif image_format is ImageFormat.WEBP:
        whole.save(out, "webp", quality=options.quality or DEFAULT_QUALITY)
    else:
        whole.save(out, "png", compress_level=1)
    if image_format is ImageFormat.AVIF:
        return to_avif(out.getvalue(), options.quality or DEFAULT_AVIF_QUALITY)
    return out.getvalue()
