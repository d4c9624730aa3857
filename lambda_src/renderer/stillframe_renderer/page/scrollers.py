"""What a visitor scrolls, the window or an element in its place: finding it, scrolling it, and letting it grow."""

from __future__ import annotations

from .elements import FIND, PARENT, WALK
from .scripts import PAINTED, SET_STYLES
from .world import World

# A function for other scripts: what scrolls inside a frame of the same origin. Null for other elements.
INNER = """const innerOf = element => {
    if (!/^I?FRAME$/.test(element.tagName)) return null;
    try { return element.contentDocument?.scrollingElement ?? null; } catch { return null; }
  };"""
# A function for other scripts, after WALK. Returns what a visitor scrolls to see the page: null for the window itself,
# or an element or frame that fills at least half of the window in both directions.
MAIN_SCROLLER = (
    PARENT
    + """const mainScroller = () => {
    const root = document.scrollingElement ?? document.documentElement;
    // A window that scrolls by a little, such as the gap below a frame, is not what a visitor scrolls.
    if (!root || root.scrollHeight > innerHeight * 1.1) return null;
    let found = null, largest = 0;
    for (const each of rootsOf(document)) {
      for (const element of each.querySelectorAll('*')) {
        if (element === root) continue;
        const inner = innerOf(element);
        const scrolls = (inner ?? element).scrollHeight > element.clientHeight + 1
          && (inner !== null || /auto|scroll|overlay/.test(getComputedStyle(element).overflowY));
        if (!scrolls || element.clientWidth * 2 < innerWidth || element.clientHeight * 2 < innerHeight) continue;
        const box = element.getBoundingClientRect();
        const area = Math.min(box.width, innerWidth) * Math.min(box.height, innerHeight);
        if (area > largest && box.bottom > 0 && box.top < innerHeight
            && getComputedStyle(element).visibility === 'visible') [found, largest] = [element, area];
      }
    }
    return found;
  };"""
    + INNER
)

# The page's own time at a stop: scripts that load lazily look up to four times a second.
STOP_MS = 300
# Scrolls to a position and waits for the frame that shows it.
GO_TO = (
    "(async () => {"
    + WALK
    + MAIN_SCROLLER
    + """
  const scroller = mainScroller(), inner = scroller && innerOf(scroller);
  (inner?.ownerDocument.defaultView ?? scroller ?? window).scrollTo({ top: %d, behavior: 'instant' });
  """
    + PAINTED
    + "})()"
)

# A function for other scripts, after INNER and PARENT: lets a scroller and everything around it grow.
GROW = (
    SET_STYLES
    + """const grown = globalThis.stillframeGrown ??= [];
  const grow = (element, styles) => {
    grown.push([element, element.style?.cssText]);
    set(element, styles);
  };
  const growScroller = scroller => {
    const inner = innerOf(scroller);
    const height = (inner ?? scroller).scrollHeight + scroller.offsetHeight - scroller.clientHeight;
    const ancestors = [];
    for (let node = parentOf(scroller); node; node = parentOf(node)) ancestors.push([node, node.offsetHeight]);
    // In a row, `flex` is about the width, which stays.
    const parent = parentOf(scroller), around = parent && getComputedStyle(parent);
    const isColumn = /flex/.test(around?.display) && around.flexDirection.startsWith('column');
    if (isColumn) grow(scroller, { flex: 'none' });
    grow(scroller, {
      height: height + 'px', 'min-height': height + 'px', 'max-height': 'none', 'box-sizing': 'border-box',
      contain: 'none', 'vertical-align': 'top',
    });
    if (!inner) grow(scroller, { 'overflow-y': 'visible', 'overflow-x': 'clip' });
    for (const [node, before] of [[scroller, 0], ...ancestors]) {
      const style = getComputedStyle(node);
      if (node !== scroller) {
        grow(node, { height: 'auto', 'min-height': before + 'px', 'max-height': 'none', contain: 'none' });
        if (style.overflowY !== 'visible') grow(node, { 'overflow-y': 'visible', 'overflow-x': 'clip' });
      }
      if (style.position === 'fixed' || style.position === 'absolute') {
        grow(node, { position: 'absolute', top: style.top, bottom: 'auto' });
      }
    }
  };"""
)
# Lets the main scroller grow. Returns its description, or null.
GROW_MAIN = (
    "(() => {"
    + WALK
    + MAIN_SCROLLER
    + GROW
    + """
  const describe = element => element.localName + (element.id ? '#' + element.id : '')
    + [...element.classList].slice(0, 3).map(name => '.' + name).join('');
  const names = [];
  // A scroller may be within another one, or in a frame.
  for (let depth = 0; depth < 4; depth++) {
    const scroller = mainScroller();
    if (!scroller) break;
    growScroller(scroller);
    names.push(describe(scroller));
  }
  return names.join(' ') || null;
})()"""
)
# Lets every scroller grow that an element is larger than. Sideways, it grows over what is beside it.
GROW_AROUND = (
    "selector => {"
    + FIND
    + INNER
    + GROW
    + """
  const element = find(selector);
  if (!element) return;
  for (let node = parentOf(element); node; node = parentOf(node)) {
    const inner = innerOf(node), { height, width } = boxOf(element), style = getComputedStyle(node);
    if (node === document.scrollingElement) continue;
    if (height > node.clientHeight + 1 && (inner || /auto|scroll/.test(style.overflowY))) growScroller(node);
    if (width <= node.clientWidth + 1 || inner || !/auto|scroll|clip/.test(style.overflowX)) continue;
    const borders = node.offsetWidth - node.clientWidth;
    grow(node, {
      width: node.scrollWidth + borders + 'px', 'max-width': 'none', 'box-sizing': 'border-box', flex: 'none',
      overflow: 'visible', contain: 'none', 'z-index': 2147483647,
    });
    if (style.position === 'static') grow(node, { position: 'relative' });
    for (let outer = parentOf(node); outer && outer !== document.body; outer = parentOf(outer)) {
      if (getComputedStyle(outer).overflowX === 'hidden') grow(outer, { overflow: 'visible' });
    }
  }
}"""
)
# Undoes that.
SHRINK = """(() => {
  for (const [element, text] of globalThis.stillframeGrown.reverse()) if (element.style) element.style.cssText = text;
  globalThis.stillframeGrown = [];
})()"""
MAX_NAME_CHARS = 100


async def let_scrollers_grow(world: World) -> str | None:
    """Make all content of the main scroller part of the page's own height.

    Returns which element it was, or None if the window itself scrolls or nothing does.
    """
    name = await world.evaluate(GROW_MAIN)
    return str(name)[:MAX_NAME_CHARS] if name else None


async def let_scrollers_shrink(world: World) -> None:
    """Let what has grown scroll again."""
    await world.evaluate(SHRINK)


async def let_scrollers_fit(world: World, selector: str) -> None:
    """Let what scrolls around the element grow, where the element is larger than that."""
    await world.call(GROW_AROUND, selector)
