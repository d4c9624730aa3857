"""Where the elements of a page are in its screenshot: what a comparison leaves out, and what it names changes by."""

from __future__ import annotations

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

# The position of the window, and each element that can be seen: its box in CSS pixels from the upper left corner of the
# document, a selector, and its text if any of it is its own. `>>>` goes into a shadow root.
OUTLINE = (
    "(count, textChars, selectorChars) => {"
    + WALK
    + ELEMENTS
    + """
  const known = new Map();
  const selectorOf = element => {
    if (known.has(element)) return known.get(element);
    const root = element.getRootNode(), tag = CSS.escape(element.localName);
    let own = tag, before = '';
    if (element.id && root.querySelectorAll('#' + CSS.escape(element.id)).length === 1) {
      own = '#' + CSS.escape(element.id);
      before = root.host ? selectorOf(root.host) + ' >>> ' : '';
    } else {
      const same = [...(element.parentNode?.children ?? [])].filter(each => each.localName === element.localName);
      if (same.length > 1) own += `:nth-of-type(${same.indexOf(element) + 1})`;
      if (element.parentElement && element.localName !== 'body') before = selectorOf(element.parentElement) + ' > ';
      else if (root.host) before = selectorOf(root.host) + ' >>> ';
    }
    known.set(element, before + own);
    return before + own;
  };
  const hasText = element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
  const found = [];
  const all = document.body ? [document.body, ...elementsOf(document)] : [];
  for (const element of all) {
    if (found.length === count) break;
    const box = element.getBoundingClientRect();
    if (!box.width || !box.height || !element.checkVisibility()) continue;
    const text = hasText(element) ? element.textContent.replace(/\\s+/g, ' ').trim().slice(0, textChars) : '';
    const selector = selectorOf(element);
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
    # What is masked shows nothing of the page, so a mask that has another size is no change.
    selectors = [*options.comparison.ignore, *options.mask]
    is_wanted = options.compare_to is not None or SavedForm.ELEMENTS in options.save
    if not is_wanted and not selectors:
        return Outline()
    to_image = await _Origin.read(world, camera, layout, options)
    ignored = [box for selector in selectors for box in await find_boxes(world, selector, MAX_IGNORED)]
    found = []
    if is_wanted:
        found = await world.call(OUTLINE, MAX_ELEMENTS, MAX_TEXT_CHARS, MAX_SELECTOR_CHARS)
    elements = (PageElement(to_image.box(*edges), selector, text) for *edges, selector, text in found or [])
    boxes = (to_image.box(box.left, box.top, box.right, box.bottom) for box in ignored[:MAX_IGNORED])
    return Outline(tuple(elements), tuple(box for box in boxes if box[2] > box[0] and box[3] > box[1]))


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
