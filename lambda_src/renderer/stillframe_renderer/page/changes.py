"""The changes that a request makes to a page before the screenshot, in this order."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from pyppeteer.connection import CDPSession

from stillframe.errors import SelectorNotFound
from stillframe.request.options import RenderOptions
from stillframe.request.options.content import Place

from .elements import FIND
from .preparation import Preparation
from .scripts import ADOPT
from .world import WORLD_NAME, World

POLL_SECONDS = 0.05

IS_VISIBLE = f"selector => {{ {FIND} return find(selector) !== null; }}"

# Scrolls the element into the window. Returns its centre in CSS pixels of the window.
CLICK_POINT = (
    "selector => {"
    + FIND
    + """
  const element = find(selector);
  if (!element) return null;
  element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
  const box = boxOf(element);
  let x = box.x + box.width / 2, y = box.y + box.height / 2;
  for (let frame = element.ownerDocument.defaultView.frameElement; frame;
      frame = frame.ownerDocument.defaultView.frameElement) {
    const outer = frame.getBoundingClientRect();
    x += outer.x + frame.clientLeft, y += outer.y + frame.clientTop;
  }
  return [x, y];
}"""
)

SCROLL_TO = (
    "target => {"
    + FIND
    + """
  // Whatever scrolls the element: the nearest one that can go that far.
  const scrollFrom = (element, offset) => {
    for (let node = parentOf(element); node; node = parentOf(node)) {
      const before = node.scrollTop;
      node.scrollBy({ top: offset, behavior: 'instant' });
      if (node.scrollTop !== before) return;
    }
  };
  if (typeof target === 'number') {
    window.scrollTo({ top: target, behavior: 'instant' });
    return true;
  }
  const element = find(target.selector ?? target);
  element?.scrollIntoView({ block: 'start', behavior: 'instant' });
  if (element && target.offset) scrollFrom(element, target.offset);
  return element !== null;
}"""
)

# Whether the expression is true now, or what it returns or resolves to is. It is there twice: a method has to be
# called on its object. A class is no condition: its name only tells that it is there.
IS_TRUE = """(async (evaluate, call) => {
  const [value] = await evaluate();
  const isCalled = typeof value === 'function' && !/^class\\b/.test(value);
  return Boolean(await (isCalled ? call() : value));
})(async () => [(%(expression)s
)], async () => (%(expression)s
)())"""

CHECK_SELECTORS = "selectors => { selectors.forEach(each => document.createDocumentFragment().querySelector(each)) }"


class Changes:
    """Applies the request's changes to one page."""

    def __init__(self, session: CDPSession, world: World, options: RenderOptions) -> None:
        self._session = session
        self._world = world
        self._options = options

    def install(self, page: Preparation) -> None:
        """Call before navigating: styles apply from the first painted frame on, and in iframes as well."""
        options = self._options
        rules = [f"{selector} {{ visibility: hidden !important }}" for selector in options.hide]
        rules += [f"{selector} {{ display: none !important }}" for selector in options.remove]
        styles = "\n".join([*filter(None, [options.css]), *rules])
        if styles:
            page.send(
                "Page.addScriptToEvaluateOnNewDocument",
                {"source": ADOPT % json.dumps(styles), "worldName": WORLD_NAME},
            )

    async def wait_for_conditions(self) -> None:
        """Wait until the selector is visible and the function is true. The caller bounds the time.

        Raises InvalidRequest for an invalid selector, ScriptFailed if the function raises an error.
        """
        options = self._options
        # In a style sheet, an invalid selector would silently match nothing.
        if options.hide or options.remove:
            await self._world.call(CHECK_SELECTORS, [*options.hide, *options.remove])
        if options.wait_for_selector is not None:
            await self._wait_for_selector(options.wait_for_selector)
        if options.wait_for_function is not None:
            await self._wait_for_function(options.wait_for_function)

    async def _wait_for_function(self, expression: str) -> None:
        test = IS_TRUE % {"expression": expression.rstrip("; \t\r\n")}
        while not await self._world.evaluate_in_page(test, "waitForFunction"):  # noqa: ASYNC110  # there is no event
            await asyncio.sleep(POLL_SECONDS)

    async def _wait_for_selector(self, selector: str) -> None:
        while not await self._world.call(IS_VISIBLE, selector):  # noqa: ASYNC110  # there is no event
            await asyncio.sleep(POLL_SECONDS)

    async def apply(self) -> None:
        """Run the script, click and scroll. Raises ScriptFailed or SelectorNotFound. The caller bounds the time."""
        options = self._options
        if options.js is not None:
            await self._world.evaluate_in_page(f"(async () => {{ {options.js}\n }})()", "js")
        for selector in options.click:
            await self._click(selector)
        await self.scroll()

    async def scroll(self) -> None:
        """Scroll to where the request wants the page to be. Raises SelectorNotFound."""
        place = self._options.scroll_to
        if place is not None:
            target, sought = (place.model_dump(), place.selector) if isinstance(place, Place) else (place, place)
            if not await self._world.call(SCROLL_TO, target):
                raise SelectorNotFound(f"scrollTo: no visible element of the page matches {sought}")

    async def _click(self, selector: str) -> None:
        point = await self._world.call(CLICK_POINT, selector)
        if point is None:
            raise SelectorNotFound(f"click: no visible element of the page matches {selector}")
        button: dict[str, Any] = {"x": point[0], "y": point[1], "button": "left", "clickCount": 1}
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            await self._session.send("Input.dispatchMouseEvent", {"type": kind, **button})
