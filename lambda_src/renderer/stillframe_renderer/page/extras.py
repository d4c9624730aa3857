"""Extras collected beside the screenshot: the page's source, text, archive and traffic, and a thumbnail."""

from __future__ import annotations

import asyncio

from pyppeteer.connection import CDPSession

from stillframe.image import page_link
from stillframe.image.element import to_json
from stillframe.image.extra import Extra, ExtraKind
from stillframe.request.options import RenderOptions, SavedForm

from .archive import Archive
from .camera import Screenshot
from .har import HarRecorder
from .imaging import Derived, derive
from .outline import Outline
from .page_links import read_links
from .world import World

MAX_BYTES = 20 * 1024 * 1024
# A page that is too busy to respond keeps its screenshot and loses the extra.
MAX_SECONDS = 5.0
TOO_LARGE = f"larger than {MAX_BYTES:,} bytes"
TOO_BUSY = "the page did not answer in time"

# Includes the content of open shadow roots, as declarative shadow DOM (HTML, 8.5.3).
SOURCE = """(() => {
  const root = document.documentElement, roots = [];
  const collect = node => node.querySelectorAll('*').forEach(element => {
    const shadow = element.shadowRoot;
    if (shadow) { roots.push(shadow); collect(shadow); }
  });
  if (!root) return '';
  const xml = new XMLSerializer();
  if (!(document.contentType === 'text/html')) return xml.serializeToString(document);
  collect(root);
  const kind = document.doctype ? xml.serializeToString(document.doctype) + '\\n' : '';
  const shell = root.cloneNode(false).outerHTML, at = shell.lastIndexOf('</');
  return kind + shell.slice(0, at) + root.getHTML({ shadowRoots: roots }) + shell.slice(at);
})()"""
TEXT = "document.body ? document.body.innerText : ''"
BOUNDED = "(text => text.length > %d ? null : text)(%s)"


class Extras:
    """Collects the extras of one request."""

    def __init__(self, session: CDPSession, world: World, options: RenderOptions) -> None:
        self._session = session
        self._world = world
        self._options = options
        self._har = HarRecorder(session, options) if SavedForm.HAR in options.save else None
        self._archive = Archive(session, MAX_BYTES) if SavedForm.MHTML in options.save else None
        self._readers = {SavedForm.HTML: self._source, SavedForm.TEXT: self._text, SavedForm.MHTML: self._snapshot}
        # The extras that were requested but not made, with the reason.
        self.left_out: dict[str, str] = {}

    async def derive(self, screenshot: Screenshot) -> Derived:
        """Make the extras that depend on the screenshot alone."""
        if self._options.thumbnail is None and not self._options.perceptual_hash:
            return Derived()
        return await asyncio.to_thread(derive, screenshot.data, self._options)

    async def collect(
        self, url: str, title: str, timings: dict[str, int], outline: Outline, seconds: float
    ) -> list[Extra]:
        """Collect the saved forms of the page, each within `seconds`. Raises only if the browser is broken."""
        collected = []
        for form in self._options.save:
            data: bytes | None
            if self._har is not None and form is SavedForm.HAR:
                data = self._har.to_json(url, title, timings)
            elif form is SavedForm.ELEMENTS:
                data = to_json(outline.elements)
            elif form is SavedForm.LINKS:
                data = await self._links(min(MAX_SECONDS, seconds))
            else:
                data = await self._read(form, min(MAX_SECONDS, seconds))
            if data is not None and len(data) > MAX_BYTES:
                self.left_out[form.value] = TOO_LARGE
            elif data is not None:
                collected.append(Extra.page(ExtraKind(form.value), data))
        if self._archive is not None and self._archive.problem is not None:
            self.left_out["mhtmlParts"] = self._archive.problem
        return collected

    async def _read(self, form: SavedForm, seconds: float) -> bytes | None:
        """Read one form from the page, or record why it is left out."""
        try:
            async with asyncio.timeout(seconds):
                text = await self._readers[form]()
        except TimeoutError:
            self.left_out[form.value] = TOO_BUSY
            return None
        if text is None:
            self.left_out[form.value] = TOO_LARGE
            return None
        # A page may contain lone surrogates, which cannot be encoded.
        return text.encode(errors="replace")

    async def _links(self, seconds: float) -> bytes | None:
        """Read the links of the page, or record why they are left out."""
        try:
            async with asyncio.timeout(seconds):
                links = await read_links(self._world)
        except TimeoutError:
            self.left_out[SavedForm.LINKS.value] = TOO_BUSY
            return None
        return page_link.to_json(links)

    async def _source(self) -> str | None:
        text: str | None = await self._world.evaluate(BOUNDED % (MAX_BYTES, SOURCE))
        return text

    async def _text(self) -> str | None:
        text: str | None = await self._world.evaluate(BOUNDED % (MAX_BYTES, TEXT))
        return text

    async def _snapshot(self) -> str | None:
        return await self._archive.read() if self._archive is not None else None
