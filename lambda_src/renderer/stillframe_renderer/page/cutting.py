"""Where a full page is cut into tiles.

What a page shows only while it is in view, it shows when most of it is. So a tile ends where a block begins, and the
next one has that block in its middle.
"""

from __future__ import annotations

from collections.abc import Sequence

from .elements import ELEMENTS, WALK
from .scrollers import MAIN_SCROLLER

# Of the window, at the top and at the bottom. Smaller blocks are whole in one tile wherever they are.
MARGIN = 1 / 4

# The blocks in and near the window, from top to bottom, in CSS pixels of what scrolls.
BLOCKS = (
    "(() => {"
    + WALK
    + ELEMENTS
    + MAIN_SCROLLER
    + f"const margin = {MARGIN};"
    + """
  const scroller = mainScroller(), inner = scroller && innerOf(scroller), page = inner?.ownerDocument ?? document;
  const what = inner ?? scroller ?? page.scrollingElement ?? page.documentElement;
  if (!what) return [];
  const height = scroller ? scroller.clientHeight : innerHeight, width = scroller ? scroller.clientWidth : innerWidth;
  const origin = scroller && !inner ? scroller.getBoundingClientRect().top + scroller.clientTop : 0;
  const blocks = [];
  for (const element of elementsOf(page)) {
    const box = element.getBoundingClientRect();
    if (box.height <= margin * height || box.height > height + 1 || box.width * 4 < width) continue;
    const top = box.top - origin;
    if (top > 2 * height || top < -height || getComputedStyle(element).position === 'fixed') continue;
    blocks.push([top + what.scrollTop, top + what.scrollTop + box.height]);
  }
  return blocks;
})()"""
)


def cut(blocks: Sequence[Sequence[float]], taken: float, top: float, view: float) -> tuple[float, float]:
    """Where a tile ends of which the window is at `top`, and where the window of the next tile is.

    `blocks` are the tops and bottoms of blocks that are no taller than the window, whose height is `view`. Up to
    `taken`, the page is in earlier tiles. All lengths are in CSS pixels of what scrolls. The tile ends after `taken`.
    """
    margin = view * MARGIN
    line = until = top + view - margin
    begun = [bottom for begin, bottom in blocks if begin <= taken + 1 and line < bottom <= top + view + 1]
    if begun:
        until = max(begun)
    else:
        while crossing := [begin for begin, bottom in blocks if taken + 1 < begin < until - 1 and bottom > until + 1]:
            until = min(crossing)
    beginning = [bottom - begin for begin, bottom in blocks if abs(begin - until) <= 1]
    lead = min(margin, max(view - max(beginning, default=0), 0) / 2)
    return until, max(until - lead, top + 1)
