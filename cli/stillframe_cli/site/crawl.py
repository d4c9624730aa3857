"""The crawl: sends pages, waits for their ends, and lets each lead to others, until there are no more."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from itertools import islice

from stillframe.archive import Archive

from ..local.results import Result
from .captures import Captures
from .discovery import Discovery
from .frontier import Frontier, Page
from .page_results import PageResults
from .page_url import authority_of
from .robots_book import RobotsBook

MIN_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 1.0
GROWTH = 1.5
SILENCE_SECONDS = 120.0


class Crawl:
    """One start of a run. What an earlier one has saved is not sent again."""

    def __init__(
        self,
        frontier: Frontier,
        discovery: Discovery,
        results: PageResults,
        robots: RobotsBook,
        max_per_host: int,
        on_saved: Callable[[Result], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """At most `max_per_host` pages of a host are sent and have not ended, so no more are captured at once."""
        self._frontier = frontier
        self._discovery = discovery
        self._results = results
        self._robots = robots
        self._max_per_host = max_per_host
        self._on_saved = on_saved
        self._monotonic = monotonic
        self._expanded = 0
        self._planned = 0
        # The pages that are to be sent, by host, and when the next one of a host may be.
        self._waiting: dict[str, deque[Page]] = {}
        self._next_at: dict[str, float] = {}
        self._sent: dict[Page, None] = {}
        self._pause = MIN_PAUSE_SECONDS

    def replay(self) -> bool:
        """Let the pages that an earlier start has saved lead to others. Returns whether every page has ended."""
        self._plan()
        pages = self._frontier.pages
        while self._expanded < len(pages) and (result := self._results.of(pages[self._expanded])) is not None:
            self._discovery.expand(pages[self._expanded], result, partial(self._results.links, result))
            self._expanded += 1
            self._plan()
        return self._expanded == len(pages)

    def run(
        self,
        captures: Captures,
        archive: Archive,
        wait: Callable[[float], object],
        is_stopped: Callable[[], bool],
        on_silence: Callable[[], None] = lambda: None,
    ) -> bool:
        """Crawl until every page has ended, which returns True, or until `is_stopped`.

        `wait` sleeps for so many seconds, or less if something may have ended. `on_silence` is called each time that
        nothing has ended for two minutes. Raises what the captures raise, and RunStopped.
        """
        ended_at = self._monotonic()
        while True:
            if self.collect(captures, archive):
                ended_at = self._monotonic()
            elif self._sent and self._monotonic() - ended_at > SILENCE_SECONDS:
                on_silence()
                ended_at = self._monotonic()
            if is_stopped():
                return False
            if self.replay():
                return True
            self._send(captures)
            wait(self._pause)

    def collect(self, captures: Captures, archive: Archive) -> bool:
        """Save what has ended. Returns whether anything has."""
        ended = captures.ended(list(self._sent)) if self._sent else {}
        for result in self._results.save(ended, archive) if ended else ():
            self._on_saved(result)
        for page in ended:
            del self._sent[page]
        self._pause = MIN_PAUSE_SECONDS if ended else min(self._pause * GROWTH, MAX_PAUSE_SECONDS)
        return bool(ended)

    def _plan(self) -> None:
        """Let the pages that are new wait to be sent, unless they have ended before."""
        for page in islice(self._frontier.pages, self._planned, None):
            self._planned += 1
            self._results.name(page)
            if self._results.of(page) is None:
                self._waiting.setdefault(authority_of(page.url), deque()).append(page)

    def _send(self, captures: Captures) -> None:
        pages = self._due()
        for page, error in captures.send(pages) if pages else ():
            del self._sent[page]
            self._on_saved(self._results.save_refused(page, error.code, error.message))

    def _due(self) -> list[Page]:
        """What is sent next: as many pages of each host as it may have, each after the delay that it asks for."""
        due: list[Page] = []
        running = Counter(authority_of(page.url) for page in self._sent)
        for host, pages in self._waiting.items():
            while pages and self._has_room(host, pages[0], running[host]):
                page = pages.popleft()
                self._next_at[host] = self._monotonic() + self._robots.delay_seconds(page.url)
                running[host] += 1
                due.append(page)
        self._sent |= dict.fromkeys(due)
        return due

    def _has_room(self, host: str, page: Page, running: int) -> bool:
        limit = 1 if self._robots.delay_seconds(page.url) else self._max_per_host
        return running < limit and self._monotonic() >= self._next_at.get(host, 0.0)
