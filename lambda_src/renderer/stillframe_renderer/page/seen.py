"""What was seen while a page was scrolled through, and whether the page has hidden it again since.

What is shown at each stop is remembered. If it is gone or looks different once the page is back at the top, and a visit
to its place brings it back, then the page shows it only while it is in view.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .animations import END_ANIMATIONS
from .clock import PageClock
from .elements import ELEMENTS
from .scripts import FIXED_WITHIN, IS_SHOWN
from .scrollers import GO_TO, MAIN_SCROLLER, STOP_MS
from .world import World

# Functions for other scripts, after WALK: the elements of a page, what scrolls, and where an element is on the page,
# wherever that is.
PLACE_ON_PAGE = (
    MAIN_SCROLLER
    + ELEMENTS
    + """const scroller = mainScroller(), scrolled = (scroller && innerOf(scroller))?.ownerDocument ?? document;
  const view = scrolled.defaultView;
  // Whether an element is within another one, in shadow roots as well.
  const isWithin = (outer, element) => {
    for (let each = element; each; each = each.getRootNode().host) if (outer.contains(each)) return true;
    return false;
  };
  const placeOnPage = element => {
    const box = element.getBoundingClientRect();
    const offset = view.scrollY + (scroller && isWithin(scroller, element) ? scroller.scrollTop : 0);
    return { top: box.top + offset, bottom: box.bottom + offset, left: box.left, right: box.right };
  };"""
)
# Functions for other scripts, after IS_SHOWN and PLACE_ON_PAGE: how an element looks, apart from its contents and null
# if it is hidden, and whether it looks as it was remembered. Colours count for blocks only: a link is often coloured
# while its target is in view. What moves counts once nothing of it is in its place: backgrounds may move with the
# scrolling.
LOOK = """const lookOf = element => {
    if (!isShown(element)) return null;
    const style = getComputedStyle(element), { width, height } = element.getBoundingClientRect();
    const isBlock = width * height >= 10000 && height <= 4 * innerHeight;
    const isLoaded = element.localName === 'img' && element.complete && element.naturalWidth > 2;
    return {
      paint: [style.filter, style.clipPath, style.opacity,
        isBlock ? style.backgroundColor + style.backgroundImage : ''].join(),
      motion: [style.transform, style.translate, style.scale].join(),
      isBlock,
      // A placeholder in the place of an image is often written into the page.
      source: isLoaded && !element.currentSrc.startsWith('data:') ? element.currentSrc : '',
    };
  };
  const looksAsSeen = (element, { look, place }) => {
    const now = lookOf(element), box = placeOnPage(element);
    if (now?.paint !== look.paint || (look.source && now.source !== look.source)) return false;
    return now.motion === look.motion || (box.bottom > place.top && box.top < place.bottom
      && box.right > place.left && box.left < place.right);
  };"""
# Remembers what is shown at a stop.
REMEMBER = (
    "(() => {"
    + END_ANIMATIONS
    + IS_SHOWN
    + FIXED_WITHIN
    + PLACE_ON_PAGE
    + LOOK
    + """
  endAnimations();
  const seen = globalThis.stillframeSeen ??= new Map();
  // What is fixed to the window is shown and hidden by the scrolling itself, such as a button that leads to the top.
  const isInFixed = fixedWithin(scroller);
  for (const element of elementsOf(scrolled)) {
    if (seen.size >= 5000) return;
    const before = seen.get(element);
    if (before?.isWhole && (!before.look.isBlock || before.isFickle)) continue;
    const box = element.getBoundingClientRect(), height = view.innerHeight;
    if (box.bottom <= 0 || box.top >= height || box.width * box.height < 100) continue;
    const inView = Math.min(box.bottom, height) - Math.max(box.top, 0);
    if (before?.isWhole) {
      // What changes with every position, such as the current section or a parallax, has no look that is meant.
      if (inView < 0.75 * Math.min(box.height, height)) continue;
      const now = lookOf(element);
      before.isFickle = now !== null && (now.paint !== before.look.paint || now.motion !== before.look.motion);
      continue;
    }
    // The more of an element is in view, the more it looks as it is meant to.
    if (inView <= before?.inView || !isShown(element) || isInFixed(element)) continue;
    const isWhole = inView >= Math.min(box.height, height), look = lookOf(element), place = placeOnPage(element);
    seen.set(element, { parent: element.parentNode, look, place, inView, isWhole, stop: %d });
  }
})()"""
)

# What is lost at the top of a page, of what was remembered: elements that are hidden now or look different, and rows
# that were removed without others in their place. Returns the position of the last one, which is the farthest from what
# the top shows. What only looks different may have been loaded since; what is hidden comes first.
FIND_LOST = (
    "(() => {"
    + END_ANIMATIONS
    + IS_SHOWN
    + PLACE_ON_PAGE
    + LOOK
    + """
  endAnimations();
  let lost = null, fickle = 0, different = 0;
  globalThis.stillframeLost = [];
  for (const [element, then] of globalThis.stillframeSeen ?? []) {
    const { parent, place, stop, isFickle } = then;
    if (element.isConnected) {
      fickle += isFickle ?? false;
      if (isFickle ? isShown(element) : looksAsSeen(element, then)) continue;
      globalThis.stillframeLost.push(element);
      const isHidden = !isShown(element);
      different += !isHidden;
      if (isHidden > (lost?.isHidden ?? false) || (isHidden === (lost?.isHidden ?? false) && stop > (lost?.stop ?? -1)))
        lost = { stop, isHidden, isRemoved: false };
    } else if (parent?.isConnected && getComputedStyle(parent.host ?? parent).display !== 'none') {
      const isReplaced = [...parent.children].some(child => {
        const other = placeOnPage(child);
        return other.bottom > place.top + 1 && other.top < place.bottom - 1;
      });
      if (!isReplaced) return { stop, isRemoved: true };
    }
  }
  // What is seen to change with every position of some blocks is true of the others that look different.
  return lost && !lost.isHidden && fickle * 2 >= different && fickle ? null : lost;
})()"""
)
# Whether something that was remembered at this stop and is hidden at the top is shown again.
IS_BACK = (
    "(() => {"
    + END_ANIMATIONS
    + IS_SHOWN
    + PLACE_ON_PAGE
    + LOOK
    + """
  endAnimations();
  return globalThis.stillframeLost.some(element => {
    const then = globalThis.stillframeSeen.get(element);
    return then.stop === %d && element.isConnected && looksAsSeen(element, then);
  });
})()"""
)


async def shows_only_in_view(world: World, clock: PageClock, load: Callable[[], Awaitable[object]]) -> bool:
    """Whether the page, which was scrolled through and is back at the top, has hidden again what it showed.

    `load` waits for what a visit has made the page request.
    """
    lost = await world.evaluate(FIND_LOST)
    if lost is None:
        return False
    if lost["isRemoved"]:
        return True
    await world.evaluate(GO_TO % lost["stop"])
    await clock.skip(STOP_MS)
    await load()
    is_back = bool(await world.evaluate(IS_BACK % lost["stop"]))
    await world.evaluate(GO_TO % 0)
    await clock.skip(STOP_MS)
    await load()
    return is_back
