"""The robots.txt of every origin that a crawl comes to, each read once in a run."""

from __future__ import annotations

from collections.abc import Callable

from .page_url import origin_of
from .robots import Robots

Read = Callable[[str], Robots]


class RobotsBook:
    """Reads the rules of an origin when they are first asked for, and remembers them.

    With `ignores`, nothing is disallowed and nothing is delayed.
    """

    def __init__(
        self, read: Read, known: dict[str, Robots], on_read: Callable[[str, Robots], None], ignores: bool
    ) -> None:
        """`known` are the rules that an earlier start of the run has read. `on_read` is called with new ones."""
        self._read = read
        self._known = known
        self._on_read = on_read
        self._ignores = ignores

    def of(self, url: str) -> Robots:
        """The rules of a normal URL's origin, also if they are ignored."""
        origin = origin_of(url)
        if origin not in self._known:
            self._known[origin] = robots = self._read(origin)
            self._on_read(origin, robots)
        return self._known[origin]

    def allows(self, url: str) -> bool:
        """Whether a page may be captured."""
        return self._ignores or self.of(url).allows(url)

    def delay_seconds(self, url: str) -> float:
        """How long to wait from one page of the origin to the next."""
        return 0.0 if self._ignores else self.of(url).delay_seconds
