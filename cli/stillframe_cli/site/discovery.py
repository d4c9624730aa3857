"""Where the pages of a site are found: what the captured pages link to, and what its sitemaps list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from stillframe.image.page_link import PageLink
from stillframe.outcome import OutcomeKind

from .frontier import Frontier, Page
from .page_url import normalize, origin_of
from .robots_book import RobotsBook
from .scope import Scope

DEFAULT_SITEMAP = "/sitemap.xml"

ReadListed = Callable[[list[str], Callable[[str], bool]], list[str]]


class Discovery:
    """Adds to the frontier what each page leads to."""

    def __init__(self, frontier: Frontier, scope: Scope, robots: RobotsBook, read_listed: ReadListed | None) -> None:
        """`read_listed` returns the pages that are wanted of the sitemaps with these URLs; None to read none."""
        self._frontier = frontier
        self._scope = scope
        self._robots = robots
        self._read_listed = read_listed

    def expand(self, page: Page, result: dict[str, Any], links: Callable[[], Iterable[PageLink]]) -> None:
        """Add what a page has led to that has ended. To be called in the order of the frontier.

        The site is where the start page has ended. A page that failed, that is an error page, or that has ended outside
        of the site leads nowhere.
        """
        final = _final_url(page, result)
        if page.depth == 0 and result.get("outcome") != OutcomeKind.FAILED.value:
            self._scope.origins.add(origin_of(final))
        if final != page.url and self._scope.contains(final):
            self._frontier.note_redirect(final)
        if self._leads_on(final, result):
            self._frontier.add_links(page, links())
            if page.depth == 0 and self._read_listed is not None:
                self._frontier.add_listed(self._read_listed(self._sitemaps(final), self._is_wanted))

    def _leads_on(self, final: str, result: dict[str, Any]) -> bool:
        is_failed = result.get("outcome") == OutcomeKind.FAILED.value
        return not is_failed and (result.get("httpStatus") or 0) < 400 and self._scope.contains(final)

    def _sitemaps(self, url: str) -> list[str]:
        return self._robots.of(url).sitemaps or [origin_of(url) + DEFAULT_SITEMAP]

    def _is_wanted(self, url: str) -> bool:
        try:
            return self._scope.contains(normalize(url))
        except ValueError:
            return False


def _final_url(page: Page, result: dict[str, Any]) -> str:
    """Where a page has ended, in its normal form."""
    try:
        return normalize(str(result.get("finalUrl") or page.url))
    except ValueError:
        return page.url
