"""What is taken from a page beside its picture: its source, its text, its archive, its traffic, a thumbnail."""

from __future__ import annotations

import asyncio

from pyppeteer.connection import CDPSession

from stillframe.image.extra import Extra, ExtraKind
from stillframe.request.options import RenderOptions, SavedForm

from .camera import Screenshot
from .har import HarRecorder
from .imaging import Derived, derive
from .world import World

MAX_BYTES = 20 * 1024 * 1024
# A page that is too busy to be asked keeps its picture, and goes without the rest.
SECONDS = 5.0
TOO_LARGE = f"larger than {MAX_BYTES:,} bytes"
TOO_BUSY = "the page did not answer in time"

# With what is in open shadow roots, as declarative shadow DOM (HTML, 8.5.3).
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
    """What one request wants beside the picture."""

    def __init__(self, session: CDPSession, world: World, options: RenderOptions) -> None:
        self._session = session
        self._world = world
        self._options = options
        self._har = HarRecorder(session, options) if SavedForm.HAR in options.save else None
        self._takers = {SavedForm.HTML: self._source, SavedForm.TEXT: self._text, SavedForm.MHTML: self._snapshot}
        # What was asked for and not made, and why.
        self.left_out: dict[str, str] = {}

    async def derive(self, picture: Screenshot) -> Derived:
        """What is made of the picture alone."""
        if self._options.thumbnail is None and not self._options.perceptual_hash:
            return Derived()
        return await asyncio.to_thread(derive, picture.data, self._options)

    async def collect(self, url: str, title: str, timings: dict[str, int], seconds: float) -> list[Extra]:
        """The stored forms of the page, in that many seconds at most. Never raises but for a broken browser."""
        taken = []
        for form in self._options.save:
            data = (
                self._har.to_json(url, title, timings)
                if self._har is not None and form is SavedForm.HAR
                else await self._bounded(form, min(SECONDS, seconds))
            )
            if data is not None and len(data) > MAX_BYTES:
                self.left_out[form.value] = TOO_LARGE
            elif data is not None:
                taken.append(Extra.page(ExtraKind(form.value), data))
        return taken

    async def _bounded(self, form: SavedForm, seconds: float) -> bytes | None:
        try:
            async with asyncio.timeout(seconds):
                text = await self._takers[form]()
        except TimeoutError:
            self.left_out[form.value] = TOO_BUSY
            return None
        if text is None:
            self.left_out[form.value] = TOO_LARGE
            return None
        # A page may hold half a surrogate pair, which no encoding has.
        return text.encode(errors="replace")

    async def _source(self) -> str | None:
        text: str | None = await self._world.evaluate(BOUNDED % (MAX_BYTES, SOURCE))
        return text

    async def _text(self) -> str | None:
        text: str | None = await self._world.evaluate(BOUNDED % (MAX_BYTES, TEXT))
        return text

    async def _snapshot(self) -> str | None:
        answer = await self._session.send("Page.captureSnapshot", {"format": "mhtml"})
        return str(answer["data"])
