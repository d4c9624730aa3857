"""The pages of a crawl in their order, which depends on nothing but what the pages link to.

A breadth-first search, as if the pages were captured one after the other: the links of a page join the list only after
those of all pages before it. So a crawl that was killed finds the same pages in the same order when it goes on, and a
larger `max_pages` or `max_depth` only adds to them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from stillframe.image.page_link import PageLink

from .left_out import LeftOut, Reason
from .page_url import normalize
from .scope import Scope

# No tenant's name begins with it, so that no tenant can take the id of a page.
ID_PREFIX = "_site"
DIGEST_CHARS = 32
# Where a page was found that the site lists itself.
SITEMAP = "sitemap"


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is to be captured. `found_on` is the URL of the first page that links to it, or `sitemap`."""

    url: str
    depth: int
    found_on: str | None = None

    def id(self, run: str) -> str:
        """The screenshot id of the page in a run: equal however often the run is begun."""
        return f"{ID_PREFIX}:{run}:{hashlib.sha256(self.url.encode()).hexdigest()[:DIGEST_CHARS]}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a site is captured. A depth of 0 is the start page alone; `max_queries` is for each path."""

    max_depth: int
    max_pages: int
    max_queries: int


class Frontier:
    """The list of pages, each URL once, and what was left out."""

    def __init__(
        self,
        scope: Scope,
        limits: Limits,
        is_allowed: Callable[[str], bool],
        ignored_queries: Sequence[str] = (),
        follows_all: bool = False,
    ) -> None:
        """`is_allowed` is asked of robots.txt. `follows_all` follows what is marked as nofollow, too."""
        self._scope = scope
        self._limits = limits
        self._is_allowed = is_allowed
        self._ignored_queries = ignored_queries
        self._follows_all = follows_all
        self._known: set[str] = set()
        self._queries: Counter[str] = Counter()
        self.pages: list[Page] = []
        self.left_out = LeftOut()

    def start(self, url: str) -> None:
        """Begin with a page. Raises ValueError if it is none."""
        self._add(Page(normalize(url, self._ignored_queries), 0))

    def note_redirect(self, url: str) -> None:
        """Note that a page has ended at this URL: it is captured, unless the list has it already."""
        if (normal := self._normal(url)) is not None:
            self._known.add(normal)
            self.left_out.discard(normal)

    def add_links(self, page: Page, links: Iterable[PageLink]) -> None:
        """Add what a page links to. To be called in the order of the list."""
        for link in links:
            self._consider(link.url, page.depth + 1, page.url, link.is_nofollow and not self._follows_all)

    def add_listed(self, urls: Iterable[str]) -> None:
        """Add what the site's own sitemaps list, as if the start page linked to it."""
        for url in urls:
            self._consider(url, 1, SITEMAP, False)

    def _consider(self, url: str, depth: int, found_on: str, is_nofollow: bool) -> None:
        normal = self._normal(url)
        if normal is None or normal in self._known:
            return
        reason = self._refusal(normal, depth, is_nofollow)
        if reason is not None:
            self.left_out.add(normal, reason)
        else:
            self.left_out.discard(normal)
            self._add(Page(normal, depth, found_on))

    def _refusal(self, url: str, depth: int, is_nofollow: bool) -> Reason | None:
        """Why a page is not captured. What costs least comes first, and what the limits decide last."""
        refusal = self._scope.refusal(url)
        if refusal is not None:
            return refusal
        if is_nofollow:
            return Reason.NOFOLLOW
        if depth > self._limits.max_depth:
            return Reason.DEPTH
        if not self._is_allowed(url):
            return Reason.ROBOTS
        if "?" in url and self._queries[_path(url)] >= self._limits.max_queries:
            return Reason.QUERIES
        return Reason.MAX if len(self.pages) >= self._limits.max_pages else None

    def _add(self, page: Page) -> None:
        self._known.add(page.url)
        self._queries[_path(page.url)] += "?" in page.url
        self.pages.append(page)

    def _normal(self, url: str) -> str | None:
        try:
            return normalize(url, self._ignored_queries)
        except ValueError:
            return None


def _path(url: str) -> str:
    return url.partition("?")[0]
