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
    "(() => {"
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
      if (text === null || text.length > 2 * %(chars)d || !URL.canParse(text, anchor.baseURI)) continue;
      const url = new URL(text, anchor.baseURI);
      if (url.protocol !== 'http:' && url.protocol !== 'https:' || url.username || url.password) continue;
      url.hash = '';
      if (url.href.length > %(chars)d) continue;
      const isNofollow = isClosed || tokens(anchor.getAttribute('rel')).includes('nofollow');
      if (links.has(url.href)) links.set(url.href, isNofollow && links.get(url.href));
      else if (links.size < %(count)d) links.set(url.href, isNofollow);
    }
  }
  return [...links];
})()"""
    % {"chars": MAX_URL_CHARS, "count": MAX_LINKS}
)


async def read_links(world: World) -> list[PageLink] | None:
    """The links of the page; None if it does not let them be read."""
    found = await world.evaluate(LINKS)
    return None if found is None else [PageLink(url, is_nofollow) for url, is_nofollow in found]
