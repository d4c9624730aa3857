"""Blocking ads and trackers with EasyList, EasyPrivacy and Brave's engine for such lists."""

from __future__ import annotations

import asyncio
import functools
import json
from typing import TYPE_CHECKING

from pyppeteer.connection import CDPSession

from . import vendor
from .preparation import Preparation
from .scripts import ADOPT
from .world import WORLD_NAME, World

if TYPE_CHECKING:
    import adblock

# The lists' names of resource types (CDP, Network.ResourceType). The only documents checked are those of frames.
RESOURCE_TYPES = {
    "Document": "subdocument",
    "Stylesheet": "stylesheet",
    "Image": "image",
    "Media": "media",
    "Font": "font",
    "Script": "script",
    "XHR": "xmlhttprequest",
    "Fetch": "xmlhttprequest",
    "WebSocket": "websocket",
    "Ping": "ping",
}
# A page may have any number of classes and ids; this many are looked up.
MAX_NAMES = 10_000
NAMES = """(() => {
  const classes = new Set(), ids = new Set();
  for (const element of document.querySelectorAll('[class], [id]')) {
    if (element.id) ids.add(element.id);
    element.classList.forEach(name => classes.add(name));
    if (classes.size + ids.size > %d) break;
  }
  return [[...classes], [...ids]];
})()"""


@functools.cache
def engine() -> adblock.Engine:
    """The filter engine, created on first use and once per process: it takes 0.3 s and 60 MB."""
    import adblock

    lists = adblock.FilterSet()
    for name in (vendor.EASYLIST, vendor.EASYPRIVACY):
        lists.add_filter_list(vendor.read(name))
    return adblock.Engine(lists)


# A refused request leaves an empty frame or a broken image behind.
COLLAPSE = """urls => {
  for (const element of document.querySelectorAll('img, iframe')) {
    if (urls.includes(element.currentSrc || element.src)) {
      element.style.setProperty('display', 'none', 'important');
    }
  }
}"""
MAX_COLLAPSED = 500


class AdFilter:
    """Refuses and hides the ads and trackers of one page. `refused` counts the requests refused."""

    def __init__(self, session: CDPSession, world: World, url: str) -> None:
        self._session = session
        self._world = world
        self._url = url
        self._exceptions: set[str] = set()
        self._generic = True
        self._urls: list[str] = []
        self.refused = 0

    async def install(self, page: Preparation) -> None:
        """Call before navigating. Hides the elements that the lists name for the page's host."""
        await asyncio.to_thread(engine)
        found = engine().url_cosmetic_resources(self._url)
        self._exceptions, self._generic = found.exceptions, not found.generichide  # type: ignore[attr-defined]  # its stub lacks it
        page.send(
            "Page.addScriptToEvaluateOnNewDocument",
            {"source": ADOPT % json.dumps(_hiding_rules(found.hide_selectors)), "worldName": WORLD_NAME},
        )

    def refuses(self, url: str, resource_type: str, page_url: str) -> bool:
        """Whether to refuse a request. Counts it if so."""
        kind = RESOURCE_TYPES.get(resource_type, "other")
        is_refused: bool = engine().check_network_urls(url, page_url, kind).matched
        if is_refused:
            self.refused += 1
            self._urls.append(url)
        return is_refused

    async def hide(self) -> None:
        """Call once the page has loaded. Hides ads by their class or id, and the gaps that refused requests left."""
        if self._urls:
            await self._world.call(COLLAPSE, self._urls[:MAX_COLLAPSED])
        if not self._generic:
            return
        classes, ids = await self._world.evaluate(NAMES % MAX_NAMES)
        selectors = engine().hidden_class_id_selectors(classes, ids, self._exceptions)
        if selectors:
            await self._world.evaluate(ADOPT % json.dumps(_hiding_rules(selectors)))


def _hiding_rules(selectors: list[str] | set[str]) -> str:
    """One CSS rule per selector, so that a selector the browser cannot parse does not invalidate the others."""
    return "\n".join(f"{selector} {{ display: none !important }}" for selector in sorted(selectors))
