"""What a crawl has found and does not capture, and why."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Any

# A site may link to endlessly many pages that are not captured: so many of them are told apart, the rest is ignored.
MAX_REMEMBERED = 100_000
MAX_REMEMBERED_CHARS = 20_000_000
# How many of each reason the manifest names.
MAX_LISTED = 100


class Reason(StrEnum):
    """Why a URL that was found is not captured."""

    OUTSIDE = "outside"
    FILE = "file"
    EXCLUDED = "excluded"
    TOO_LONG = "tooLong"
    NOFOLLOW = "nofollow"
    ROBOTS = "robots"
    DEPTH = "depth"
    QUERIES = "queries"
    MAX = "max"


# For people, after a number of URLs.
DESCRIPTIONS = {
    Reason.OUTSIDE: "outside of the site",
    Reason.FILE: "files and not pages",
    Reason.EXCLUDED: "excluded by --include and --exclude",
    Reason.TOO_LONG: "too long",
    Reason.NOFOLLOW: "marked as nofollow",
    Reason.ROBOTS: "disallowed by robots.txt",
    Reason.DEPTH: "beyond --depth",
    Reason.QUERIES: "queries beyond --max-queries",
    Reason.MAX: "beyond --max",
}


class LeftOut:
    """The URLs that were left out, each once. One that is captured in the end is not among them."""

    def __init__(self) -> None:
        self._reasons: dict[str, Reason] = {}
        self._chars = 0

    def add(self, url: str, reason: Reason) -> None:
        """Note a URL. The last reason counts."""
        if url not in self._reasons:
            if len(self._reasons) >= MAX_REMEMBERED or self._chars + len(url) > MAX_REMEMBERED_CHARS:
                return
            self._chars += len(url)
        self._reasons[url] = reason

    def discard(self, url: str) -> None:
        """Note that a URL is captured."""
        if self._reasons.pop(url, None) is not None:
            self._chars -= len(url)

    @property
    def counts(self) -> dict[Reason, int]:
        """How many URLs there are of each reason, in the order of the reasons."""
        counted = Counter(self._reasons.values())
        return {reason: counted[reason] for reason in Reason if counted[reason]}

    def to_wire(self) -> dict[str, Any]:
        """For each reason the number of URLs, and the first of them."""
        listed: dict[Reason, list[str]] = {}
        for url, reason in self._reasons.items():
            urls = listed.setdefault(reason, [])
            if len(urls) < MAX_LISTED:
                urls.append(url)
        return {reason.value: {"count": count, "urls": listed[reason]} for reason, count in self.counts.items()}
