"""The links of a page after its scripts have run: those of its own document and of the open shadow roots in it."""

from __future__ import annotations

from stillframe.image.page_link import PageLink
from stillframe.request.capture_request import MAX_URL_CHARS

from .elements import WALK
from .world import World

# More than people put on a page; a page that is made to have endlessly many keeps the first of them.
MAX_LINKS = 5000

# In the order of the document, each URL once. A URL with a name or password is left out: it is nobody's to store.
LINKS = (
    "(count, chars) => {"
    + WALK
    + """
  const tokens = text => (text ?? '').toLowerCase().split(/[\\s,]+/);
  const isClosed = [...document.querySelectorAll('meta[name=robots i], meta[name=stillframe i]')]
    .some(each => tokens(each.getAttribute('content')).some(token => token === 'nofollow' || token === 'none'));
  const links = new Map();
  for (const root of rootsOf(document)) {
    if (root !== document && root.ownerDocument !== document) continue;
    for (const anchor of root.querySelectorAll('a, area')) {
      // The link of a drawing (SVG) has an object in place of a text.
      const text = anchor.getAttribute('href') ?? anchor.getAttributeNS('http://www.w3.org/1999/xlink', 'href');
      if (text === null || text.length > 2 * chars || !URL.canParse(text, anchor.baseURI)) continue;
      const url = new URL(text, anchor.baseURI);
      if (url.protocol !== 'http:' && url.protocol !== 'https:' || url.username || url.password) continue;
      url.hash = '';
      if (url.href.length > chars) continue;
      const isNofollow = isClosed || tokens(anchor.getAttribute('rel')).includes('nofollow');
      if (links.has(url.href)) links.set(url.href, isNofollow && links.get(url.href));
      else if (links.size < count) links.set(url.href, isNofollow);
    }
  }
  return [...links];
}"""
)


async def read_links(world: World) -> list[PageLink]:
    """The links of the page."""
    return [PageLink(*link) for link in await world.call(LINKS, MAX_LINKS, MAX_URL_CHARS)]
