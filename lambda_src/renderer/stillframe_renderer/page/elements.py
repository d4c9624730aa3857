"""Finding the element that a selector means, bringing it into view, and measuring it.

One rule for every option with a selector: the first match that can be seen, in the document, in open shadow roots and
in frames of the same origin.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

from stillframe.errors import SelectorNotFound

from .scripts import OF_WINDOW
from .world import World

# Layout computes in units of 1/64 pixel.
ROUNDING = 1 / 128

# Functions for other scripts, which begin with them. `rootsOf` yields a document or shadow root and those within it.
# What long pages have most of can be neither a shadow host (DOM, attachShadow) nor a frame, and is not looked at.
WALK = """const COMMON = 'td, th, tr, li, a, b, i, em, code, img, option, path';
  const rootsOf = function* (root) {
    yield root;
    for (const element of root.querySelectorAll(`:not(${COMMON})`)) {
      if (element.shadowRoot) yield* rootsOf(element.shadowRoot);
      let inner = null;
      try { inner = element.contentDocument; } catch { }
      if (inner?.documentElement) yield* rootsOf(inner);
    }
  };"""
# A function for other scripts, after WALK: the elements of a document's body, with those in open shadow roots.
ELEMENTS = """const elementsOf = function* (page) {
    for (const root of rootsOf(page)) {
      if (root === page || root.ownerDocument === page) yield* root.querySelectorAll(root === page ? 'body *' : '*');
    }
  };"""
# The ancestor that a node is displayed in, across shadow roots and frames.
PARENT = """const parentOf = node => node.assignedSlot ?? node.parentElement ?? node.getRootNode().host
    ?? node.ownerDocument.defaultView?.frameElement ?? null;"""
# An element with `display: contents` has no box of its own, but its children have.
FIND = (
    WALK
    + PARENT
    + """// The box of a drawing (SVG) does not have its strokes, which reach out by half their width.
  const strokeOf = element => {
    if (!element.getScreenCTM || !element.ownerSVGElement) return 0;
    const widths = [element, ...element.querySelectorAll('*')].slice(0, 500).map(shape => {
      const style = getComputedStyle(shape), matrix = shape.getScreenCTM?.();
      if (!shape.isPointInStroke || style.stroke === 'none' || !matrix) return 0;
      return parseFloat(style.strokeWidth) / 2 * Math.sqrt(Math.abs(matrix.a * matrix.d - matrix.b * matrix.c));
    });
    return Math.max(...widths);
  };
  const boxOf = element => {
    const bare = element.getBoundingClientRect(), stroke = strokeOf(element);
    const own = new DOMRect(bare.x - stroke, bare.y - stroke, bare.width + 2 * stroke, bare.height + 2 * stroke);
    if ((own.width && own.height) || getComputedStyle(element).display !== 'contents') return own;
    const range = element.ownerDocument.createRange();
    range.selectNodeContents(element);
    return range.getBoundingClientRect();
  };
  const isVisible = element => {
    const box = boxOf(element);
    // Without a box of its own, an element counts as visible if what is in it is.
    return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility === 'visible'
      && (element.checkVisibility() || getComputedStyle(element).display === 'contents');
  };
  const findAll = function* (selector) {
    for (const root of rootsOf(document)) {
      for (const element of root.querySelectorAll(selector)) if (isVisible(element)) yield element;
    }
  };
  const find = selector => findAll(selector).next().value ?? null;
"""
)

# In the middle, where headers that stick to the window do not cover it. Taller ones begin at the top. Returns whether
# there is such an element, of all that match.
BRING_INTO_VIEW = (
    "(selector, number) => {"
    + FIND
    + """
  const matches = findAll(selector);
  let element = null;
  for (let left = number; left >= 0; left--) element = matches.next().value;
  if (!element) return false;
  const target = element.getBoundingClientRect().height ? element : element.firstElementChild ?? element.parentElement;
  const block = boxOf(element).height > innerHeight ? 'start' : 'center';
  target.scrollIntoView({ block, inline: 'center', behavior: 'instant' });
  return true;
}"""
)

# Of each element, the part that its scrolling ancestors show, in CSS pixels from the upper left corner of the document.
# A document that is written from right to left goes on to the left of its first window.
BOXES = (
    "(selector, count) => {"
    + FIND
    + OF_WINDOW
    + """
  const root = document.documentElement, style = getComputedStyle(root);
  const goesLeft = style.direction === 'rtl' || getComputedStyle(document.body ?? root).writingMode.endsWith('-rl');
  const begin = goesLeft ? ofWindow.clientWidth - ofWindow.scrollWidth : 0;
  const shownPart = element => {
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
    const x = scrollX - begin;
    return { left: left + x, top: top + scrollY, right: right + x, bottom: bottom + scrollY };
  };
  const boxes = [];
  for (const element of findAll(selector)) {
    if (boxes.push(shownPart(element)) === count) break;
  }
  return boxes;
}"""
)


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the document or of the window, in CSS pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def outwards(self, padding: int, scale: float) -> Box:
        """With the padding, within the page, to whole device pixels: a border of one pixel is there on all sides."""
        return Box(
            math.floor(max(0, self.left - padding) * scale + ROUNDING) / scale,
            math.floor(max(0, self.top - padding) * scale + ROUNDING) / scale,
            math.ceil((self.right + padding) * scale - ROUNDING) / scale,
            math.ceil((self.bottom + padding) * scale - ROUNDING) / scale,
        )

    @staticmethod
    def around(boxes: Sequence[Box]) -> Box:
        """The smallest box that has all of these."""
        left, top = min(box.left for box in boxes), min(box.top for box in boxes)
        return Box(left, top, max(box.right for box in boxes), max(box.bottom for box in boxes))


async def bring_into_view(world: World, selector: str, number: int = 0) -> bool:
    """Scroll to a match of the selector, wherever it is, as a visitor would. Returns whether there is one."""
    return bool(await world.call(BRING_INTO_VIEW, selector, number))


async def find_boxes(world: World, selector: str, count: int) -> list[Box]:
    """The parts of the first so many matches that can be seen, wherever they are. Raises InvalidRequest."""
    boxes = [Box(**values) for values in await world.call(BOXES, selector, count)]
    return [box for box in boxes if box.right > box.left and box.bottom > box.top]


async def boxes_of(world: World, selector: str, count: int) -> list[Box]:
    """The parts of the first so many matches that can be seen.

    Raises SelectorNotFound if there are none, or only outside the page.
    """
    boxes = await find_boxes(world, selector, count)
    if not boxes:
        raise SelectorNotFound(f"selector: no visible element of the page matches {selector}")
    inside = [box for box in boxes if box.right > 0 and box.bottom > 0]
    if not inside:
        side = "above" if boxes[0].bottom <= 0 else "to the left of"
        raise SelectorNotFound(f"selector: the element that matches {selector} lies {side} the page")
    return [dataclasses.replace(box, left=max(box.left, 0), top=max(box.top, 0)) for box in inside]
