"""Ads and trackers, by EasyList and EasyPrivacy and the engine that Brave made for such lists."""

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

# What the lists call the kinds of requests (CDP, Network.ResourceType); a document that is asked about is in a frame.
KINDS = {
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
# Classes and ids of a page that are looked up; a page may have any number.
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
    """Made once in a process: 0.3 s and 60 MB, for those who ask for it."""
    import adblock

    lists = adblock.FilterSet()
    for name in (vendor.EASYLIST, vendor.EASYPRIVACY):
        lists.add_filter_list(vendor.read(name))
    return adblock.Engine(lists)


# What was refused leaves a frame behind, or the sign of a broken image.
COLLAPSE = """urls => {
  for (const element of document.querySelectorAll('img, iframe')) {
    if (urls.includes(element.currentSrc || element.src)) {
      element.style.setProperty('display', 'none', 'important');
    }
  }
}"""
MAX_COLLAPSED = 500


class AdFilter:
    """What of one page is an ad or a tracker. `refused` counts its requests."""

    def __init__(self, session: CDPSession, world: World, url: str) -> None:
        self._session = session
        self._world = world
        self._url = url
        self._exceptions: set[str] = set()
        self._generic = True
        self._urls: list[str] = []
        self.refused = 0

    async def install(self, page: Preparation) -> None:
        """Before navigating: hide what the lists name for the page's host."""
        await asyncio.to_thread(engine)
        found = engine().url_cosmetic_resources(self._url)
        self._exceptions, self._generic = found.exceptions, not found.generichide  # type: ignore[attr-defined]  # its stub lacks it
        page.send(
            "Page.addScriptToEvaluateOnNewDocument",
            {"source": ADOPT % json.dumps(_hiding(found.hide_selectors)), "worldName": WORLD_NAME},
        )

    def refuses(self, url: str, resource_type: str, page_url: str) -> bool:
        """Whether a request is not to be made."""
        kind = KINDS.get(resource_type, "other")
        is_refused: bool = engine().check_network_urls(url, page_url, kind).matched
        if is_refused:
            self.refused += 1
            self._urls.append(url)
        return is_refused

    async def hide(self) -> None:
        """Once the page is there: hide what its classes and ids give away, and where a refused image would be."""
        if self._urls:
            await self._world.call(COLLAPSE, self._urls[:MAX_COLLAPSED])
        if not self._generic:
            return
        classes, ids = await self._world.evaluate(NAMES % MAX_NAMES)
        selectors = engine().hidden_class_id_selectors(classes, ids, self._exceptions)
        if selectors:
            await self._world.evaluate(ADOPT % json.dumps(_hiding(selectors)))


def _hiding(selectors: list[str] | set[str]) -> str:
    """A rule for each, so that one that the browser cannot read does not take the others with it."""
    return "\n".join(f"{selector} {{ display: none !important }}" for selector in sorted(selectors))
