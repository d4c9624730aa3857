"""What was seen while a page was scrolled through, and whether the page has hidden it again since.

What is shown at each stop is remembered. If it is gone once the page is back at the top, and a visit to its place
brings it back, then the page shows it only while it is in view.
"""

from __future__ import annotations

from .animations import END_ANIMATIONS
from .clock import PageClock
from .scripts import FIXED_WITHIN, IS_SHOWN
from .scrollers import GO_TO, MAIN_SCROLLER, STOP_MS
from .world import World

# Functions for other scripts, after WALK: what scrolls, and where an element is on the page, wherever that is.
PLACE_ON_PAGE = (
    MAIN_SCROLLER
    + """const scroller = mainScroller(), scrolled = (scroller && innerOf(scroller))?.ownerDocument ?? document;
  const view = scrolled.defaultView;
  const placeOnPage = element => {
    const box = element.getBoundingClientRect();
    const offset = view.scrollY + (scroller?.contains(element) ? scroller.scrollTop : 0);
    return { top: box.top + offset, bottom: box.bottom + offset };
  };"""
)
# Remembers what is shown at a stop.
REMEMBER = (
    "(() => {"
    + END_ANIMATIONS
    + IS_SHOWN
    + FIXED_WITHIN
    + PLACE_ON_PAGE
    + """
  endAnimations();
  const seen = globalThis.stillframeSeen ??= new Map();
  // What is fixed to the window is shown and hidden by the scrolling itself, such as a button that leads to the top.
  const isInFixed = fixedWithin(scroller);
  for (const element of scrolled.querySelectorAll('body *')) {
    if (seen.size >= 5000) return;
    if (seen.has(element)) continue;
    const box = element.getBoundingClientRect(), height = view.innerHeight;
    if (box.bottom <= 0 || box.top >= height || box.width * box.height < 100) continue;
    if (!isShown(element) || isInFixed(element)) continue;
    seen.set(element, { parent: element.parentElement, ...placeOnPage(element), stop: %d });
  }
})()"""
)

# What is lost at the top of a page, of what was remembered: elements that are hidden now, and rows that were removed
# without others in their place. Returns the position of the last one, which is the farthest from what the top shows.
FIND_LOST = (
    "(() => {"
    + END_ANIMATIONS
    + IS_SHOWN
    + PLACE_ON_PAGE
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
        const place = placeOnPage(child);
        return place.bottom > top + 1 && place.top < bottom - 1;
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
