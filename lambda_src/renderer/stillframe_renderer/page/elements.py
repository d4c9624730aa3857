"""Finding the element that a selector means, bringing it into view, and measuring it.

One rule for every option with a selector: the first match that can be seen, in the document, in open shadow roots and
in frames of the same origin.
"""

from __future__ import annotations

from dataclasses import dataclass

from stillframe.errors import SelectorNotFound

from .world import World

# Functions for other scripts, which begin with them. `rootsOf` yields a document or shadow root and those within it.
WALK = """const rootsOf = function* (root) {
    yield root;
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) yield* rootsOf(element.shadowRoot);
      let inner = null;
      try { inner = element.contentDocument; } catch { }
      if (inner?.documentElement) yield* rootsOf(inner);
    }
  };"""
# The ancestor that a node is displayed in, across shadow roots and frames.
PARENT = """const parentOf = node => node.assignedSlot ?? node.parentElement ?? node.getRootNode().host
    ?? node.ownerDocument.defaultView?.frameElement ?? null;"""
# An element with `display: contents` has no box of its own, but its children have.
FIND = (
    WALK
    + PARENT
    + """const boxOf = element => {
    const own = element.getBoundingClientRect();
    if ((own.width && own.height) || getComputedStyle(element).display !== 'contents') return own;
    const range = element.ownerDocument.createRange();
    range.selectNodeContents(element);
    return range.getBoundingClientRect();
  };
  const isVisible = element => {
    const box = boxOf(element);
    return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility === 'visible';
  };
  const find = selector => {
    for (const root of rootsOf(document)) {
      for (const element of root.querySelectorAll(selector)) if (isVisible(element)) return element;
    }
    return null;
  };
"""
)

# In the middle, where headers that stick to the window do not cover it. Taller ones begin at the top.
BRING_INTO_VIEW = (
    "selector => {"
    + FIND
    + """
  const element = find(selector);
  if (!element) return false;
  const target = element.getBoundingClientRect().height ? element : element.firstElementChild ?? element.parentElement;
  const block = boxOf(element).height > innerHeight ? 'start' : 'center';
  target.scrollIntoView({ block, inline: 'center', behavior: 'instant' });
  return true;
}"""
)

# The part that its scrolling ancestors show, in CSS pixels of the document, and where the document begins.
BOX = (
    "selector => {"
    + FIND
    + """
  const element = find(selector);
  if (!element) return null;
  const box = boxOf(element);
  let { left, top, right, bottom } = box;
  let view = element.ownerDocument.defaultView;
  for (let node = parentOf(element); node; node = parentOf(node)) {
    if (node.ownerDocument.defaultView !== view) {
      const frame = node.getBoundingClientRect();
      const x = frame.left + node.clientLeft, y = frame.top + node.clientTop;
      left = Math.max(x, x + left), right = Math.min(x + node.clientWidth, x + right);
      top = Math.max(y, y + top), bottom = Math.min(y + node.clientHeight, y + bottom);
      view = node.ownerDocument.defaultView;
    } else if (node !== document.body && node !== document.documentElement
        && getComputedStyle(node).overflow !== 'visible') {
      const shown = node.getBoundingClientRect();
      left = Math.max(left, shown.left), right = Math.min(right, shown.right);
      top = Math.max(top, shown.top), bottom = Math.min(bottom, shown.bottom);
    }
  }
  const root = document.documentElement, style = getComputedStyle(root);
  const goesLeft = style.direction === 'rtl' || getComputedStyle(document.body ?? root).writingMode.endsWith('-rl');
  return {
    left: left + scrollX, top: top + scrollY, right: right + scrollX, bottom: bottom + scrollY,
    begin: goesLeft ? root.clientWidth - root.scrollWidth : 0,
  };
}"""
)


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the document, in CSS pixels."""

    left: float
    top: float
    right: float
    bottom: float


async def bring_into_view(world: World, selector: str) -> None:
    """Scroll to the element, wherever it is, as a visitor would. Does nothing if there is none."""
    await world.call(BRING_INTO_VIEW, selector)


async def box_of(world: World, selector: str) -> Box:
    """The part of the element that can be seen. Raises SelectorNotFound if there is none, or only outside the page."""
    values = await world.call(BOX, selector)
    if values is None or values["right"] <= values["left"] or values["bottom"] <= values["top"]:
        raise SelectorNotFound(f"selector: no visible element of the page matches {selector}")
    begin = values.pop("begin")
    if values["right"] <= begin or values["bottom"] <= 0:
        side = "above" if values["bottom"] <= 0 else "to the left of"
        raise SelectorNotFound(f"selector: the element that matches {selector} lies {side} the page")
    return Box(**values | {"left": max(values["left"], begin), "top": max(values["top"], 0)})
