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

# How many stops are visited, to see whether something is back.
MAX_VISITS = 3

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
# Functions for other scripts, after IS_SHOWN and PLACE_ON_PAGE: how an element looks, apart from the elements in it and
# null if it is hidden, and whether it looks as it was remembered. Colours count for blocks only: a link is often
# coloured while its target is in view. What moves counts once nothing of it is in its place: backgrounds may move with
# the scrolling.
LOOK = """const pseudoOf = (element, name) => {
    const style = getComputedStyle(element, name);
    return style.content === 'none' ? '' : [style.display, style.visibility, style.opacity, style.backgroundColor];
  };
  const lookOf = element => {
    if (!isShown(element)) return null;
    const style = getComputedStyle(element), { width, height } = element.getBoundingClientRect();
    const isBlock = width * height >= 10000 && height <= 4 * innerHeight;
    const isLoaded = element.localName === 'img' && element.complete && element.naturalWidth > 2;
    return {
      paint: [style.filter, style.clipPath, style.opacity,
        isBlock ? style.backgroundColor + style.backgroundImage : '',
        isBlock ? [pseudoOf(element, '::before'), pseudoOf(element, '::after')] : ''].join(),
      motion: [style.transform, style.translate, style.scale].join(),
      isBlock,
      text: element.childElementCount ? null : element.textContent.slice(0, 200),
      // A placeholder in the place of an image is often written into the page.
      source: isLoaded && !element.currentSrc.startsWith('data:') ? element.currentSrc : '',
    };
  };
  const looksAsSeen = (element, { look, place }) => {
    const now = lookOf(element), box = placeOnPage(element);
    if (now?.paint !== look.paint || now.text !== look.text) return false;
    if (look.source && now.source !== look.source) return false;
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

# What is lost at the top of a page, of what was remembered: elements that are hidden now or look different, texts with
# others in their place, and rows that were removed without others. Returns the stops to visit; true if no visit is
# needed. The farthest stops, from what the top shows, come first. What only looks different may have been loaded since;
# what is hidden comes before it.
FIND_LOST = (
    "(() => {"
    + END_ANIMATIONS
    + IS_SHOWN
    + PLACE_ON_PAGE
    + LOOK
    + f"const MAX_STOPS = {MAX_VISITS};"
    + """
  endAnimations();
  let fickle = 0, different = 0;
  const lost = globalThis.stillframeLost = [];
  for (const [element, then] of globalThis.stillframeSeen ?? []) {
    const { parent, place, look, isFickle } = then;
    if (element.isConnected) {
      fickle += isFickle ?? false;
      if (isFickle ? isShown(element) : looksAsSeen(element, then)) continue;
      const isHidden = !isShown(element);
      different += !isHidden;
      lost.push({ then, isHidden, isBack: () => element.isConnected && looksAsSeen(element, then) });
    } else if (parent?.isConnected && getComputedStyle(parent.host ?? parent).display !== 'none') {
      const isReplaced = [...parent.children].some(child => {
        const other = placeOnPage(child);
        return other.bottom > place.top + 1 && other.top < place.bottom - 1;
      });
      if (!isReplaced) return true;
      const hasText = () => parent.textContent.includes(look.text);
      if (look.text?.trim() && !hasText()) lost.push({ then, isHidden: false, isBack: hasText });
    }
  }
  // What is seen to change with every position of some blocks is true of the others that look different.
  if (fickle && fickle * 2 >= different && !lost.some(each => each.isHidden)) return [];
  lost.sort((a, b) => b.isHidden - a.isHidden || b.then.stop - a.then.stop);
  return [...new Set(lost.map(each => each.then.stop))].slice(0, MAX_STOPS);
})()"""
)
# Whether something that was remembered at this stop and is lost at the top is back.
IS_BACK = (
    "(() => {"
    + END_ANIMATIONS
    + """
  endAnimations();
  return globalThis.stillframeLost.some(each => each.then.stop === %d && each.isBack());
})()"""
)


async def shows_only_in_view(
    world: World, clock: PageClock, load: Callable[[], Awaitable[object]], settle: Callable[[], Awaitable[None]]
) -> bool:
    """Whether the page, which was scrolled through and is back at the top, has hidden again what it showed.

    `load` waits for what a visit has made the page request. `settle` lets the page come to rest at the top afterwards.
    """
    lost = await world.evaluate(FIND_LOST) or []
    if lost is True:
        return True
    is_back = False
    for stop in lost:
        await _visit(world, clock, load, stop)
        is_back = bool(await world.evaluate(IS_BACK % stop))
        if is_back:
            break
    if lost:
        await _visit(world, clock, load, 0)
        if not is_back:
            await settle()
    return is_back


async def _visit(world: World, clock: PageClock, load: Callable[[], Awaitable[object]], stop: int) -> None:
    await world.evaluate(GO_TO % stop)
    await clock.skip(STOP_MS)
    await load()
