"""Where the elements of a page are in its screenshot: what a comparison leaves out, and what it names changes by."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from stillframe.image.element import Box, PageElement
from stillframe.request.options import RenderOptions, SavedForm

from .camera import Camera, Layout
from .elements import ELEMENTS, WALK, find_boxes
from .world import World

MAX_ELEMENTS = 5000
MAX_IGNORED = 100
MAX_TEXT_CHARS = 200
MAX_SELECTOR_CHARS = 300
MAX_SECONDS = 2.0

# The position of the window, and each element that can be seen: its box in CSS pixels from the upper left corner of the
# document, a selector, and its text if any of it is its own. `>>>` goes into a shadow root.
OUTLINE = (
    "(count, textChars, selectorChars) => {"
    + WALK
    + ELEMENTS
    + """
  // Of siblings with one name, which one an element is and how many there are: counted once for each parent.
  const places = new Map(), parents = new Set();
  const placeOf = element => {
    const parent = element.parentNode;
    if (parent && !parents.has(parent)) {
      parents.add(parent);
      const totals = new Map();
      for (const each of parent.children) {
        const total = totals.get(each.localName) ?? { count: 0 };
        totals.set(each.localName, total);
        places.set(each, { number: ++total.count, total });
      }
    }
    return places.get(element);
  };
  const known = new Map();
  const selectorOf = element => {
    if (known.has(element)) return known.get(element);
    const root = element.getRootNode(), tag = CSS.escape(element.localName);
    let own = tag, before = '';
    if (element.id && root.querySelectorAll('#' + CSS.escape(element.id)).length === 1) {
      own = '#' + CSS.escape(element.id);
      before = root.host ? selectorOf(root.host) + ' >>> ' : '';
    } else {
      const place = placeOf(element);
      if (place?.total.count > 1) own += `:nth-of-type(${place.number})`;
      if (element.parentElement && element.localName !== 'body') before = selectorOf(element.parentElement) + ' > ';
      else if (root.host) before = selectorOf(root.host) + ' >>> ';
    }
    known.set(element, before + own);
    return before + own;
  };
  const hasText = element => {
    for (let node = element.firstChild; node; node = node.nextSibling) {
      if (node.nodeType === Node.TEXT_NODE && node.data.trim()) return true;
    }
    return false;
  };
  // No more than is kept: the text of an element may be that of the whole page.
  const textOf = element => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    let text = '';
    while (text.length < textChars && walker.nextNode()) {
      const parent = walker.currentNode.parentElement?.localName;
      if (parent === 'script' || parent === 'style') continue;
      text = `${text} ${walker.currentNode.data.slice(0, 10 * textChars)}`.replace(/\\s+/g, ' ').trimStart();
    }
    return text.trimEnd().slice(0, textChars).toWellFormed();
  };
  const found = [];
  const all = document.body ? [document.body, ...elementsOf(document)] : [];
  for (const element of all) {
    if (found.length === count) break;
    const box = element.getBoundingClientRect();
    if (!box.width || !box.height || !element.checkVisibility()) continue;
    const text = hasText(element) ? textOf(element) : '';
    const selector = selectorOf(element).toWellFormed();
    if (selector.length > selectorChars) continue;
    const left = box.left + scrollX, top = box.top + scrollY;
    found.push([left, top, left + box.width, top + box.height, selector, text]);
  }
  return found;
}"""
)


@dataclass(frozen=True, slots=True)
class Outline:
    """`ignored` are the boxes of the elements that are not compared, in pixels of the image."""

    elements: tuple[PageElement, ...] = ()
    ignored: tuple[Box, ...] = ()


async def read_outline(world: World, camera: Camera, layout: Layout, options: RenderOptions) -> Outline:
    """Where the elements are, as far as the options need it. Raises InvalidRequest for an invalid selector."""
    is_wanted = options.compare_to is not None or SavedForm.ELEMENTS in options.save
    # What is masked shows nothing of the page, so a mask that has another size is no change.
    selectors = [*options.comparison.ignore, *(options.mask if is_wanted else ())]
    if not is_wanted and not selectors:
        return Outline()
    to_image = await _Origin.read(world, camera, layout, options)
    ignored = [box for selector in selectors for box in await find_boxes(world, selector, MAX_IGNORED)]
    elements = await _elements(world, to_image) if is_wanted else ()
    boxes = (to_image.box(box.left, box.top, box.right, box.bottom) for box in ignored[:MAX_IGNORED])
    return Outline(elements, tuple(box for box in boxes if box[2] > box[0] and box[3] > box[1]))


async def _elements(world: World, to_image: _Origin) -> tuple[PageElement, ...]:
    """The elements that can be seen; none of a page that is too busy to say, whose screenshot counts all the same."""
    try:
        async with asyncio.timeout(MAX_SECONDS):
            found = await world.call(OUTLINE, MAX_ELEMENTS, MAX_TEXT_CHARS, MAX_SELECTOR_CHARS)
    except TimeoutError:
        return ()
    return tuple(PageElement(to_image.box(*edges), selector, text) for *edges, selector, text in found or [])


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where the image begins in the document, in CSS pixels, and its pixels for each of them."""

    x: float
    y: float
    scale: float

    @classmethod
    async def read(cls, world: World, camera: Camera, layout: Layout, options: RenderOptions) -> _Origin:
        x, y = camera.origin if camera.origin is not None else await world.evaluate("[scrollX, scrollY]")
        return cls(x, y, options.device_scale_factor * layout.scale)

    def box(self, left: float, top: float, right: float, bottom: float) -> Box:
        """A box of the document in pixels of the image, outwards to whole ones, and not above or before the image."""
        edges = ((left - self.x), (top - self.y), (right - self.x), (bottom - self.y))
        first, second, third, fourth = (round(edge * self.scale, 2) for edge in edges)
        return (
            max(int(first // 1), 0),
            max(int(second // 1), 0),
            max(int(-(-third // 1)), 0),
            max(int(-(-fourth // 1)), 0),
        )
