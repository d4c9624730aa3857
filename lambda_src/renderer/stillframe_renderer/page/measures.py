"""What the document reports about itself right before the screenshot: title, description, URL, size."""

from __future__ import annotations

from dataclasses import dataclass

from stillframe.request.options import Viewport

from .camera import Layout
from .scripts import OF_WINDOW
from .world import World

MAX_TITLE_CHARS = 1000
MAX_DESCRIPTION_CHARS = 2000

# `title` and `location` are read through the document itself: the page's own scripts live in another world.
MEASURE = (
    "(() => {"
    + OF_WINDOW
    + """
  const root = document.documentElement, body = document.body;
  const scrolling = document.scrollingElement;
  const overflow = element => element ? getComputedStyle(element).overflowX : 'visible';
  // The window takes its overflow from the root, or from the body if the root has none (CSS Overflow 3, 3.3). What is
  // hidden beside it cannot be scrolled to.
  const isCut = /hidden|clip/.test(overflow(root) === 'visible' ? overflow(body) : overflow(root));
  return {
    title: String(document.title || ''),
    description: String(document.querySelector(
      'meta[name="description" i], meta[property="og:description" i]')?.content || ''),
    url: String(document.location.href),
    width: ofWindow ? ofWindow.clientWidth : 0,
    // In quirks mode the body scrolls in place of the root. Otherwise what exceeds it is part of the root, or hidden.
    height: Math.ceil(Math.max(root?.scrollHeight ?? 0, scrolling && scrolling === body ? body.scrollHeight : 0)),
    whole: !ofWindow ? 0 : isCut ? ofWindow.clientWidth : ofWindow.scrollWidth,
  };
})()"""
)


@dataclass(frozen=True, slots=True)
class Measures:
    """The document's own facts. `url` is not truncated."""

    title: str
    description: str
    url: str
    layout: Layout

    @classmethod
    async def read(cls, world: World, viewport: Viewport) -> Measures:
        """Read the facts from the current document."""
        values = await world.evaluate(MEASURE)
        width = max(int(values["width"]), viewport.width)
        height = max(int(values["height"]), viewport.height)
        return cls(
            title=values["title"][:MAX_TITLE_CHARS],
            description=values["description"][:MAX_DESCRIPTION_CHARS],
            url=values["url"],
            layout=Layout(width, height, viewport.width / width, max(int(values["whole"]), width)),
        )
