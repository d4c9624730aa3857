"""File names for the images that `shoot` writes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from urllib.parse import urlsplit

MAX_NAME_CHARS = 100


class NamePool:
    """Chooses names that are readable, and different from each other and from those that are taken."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        # How many names were tried for a stem: thousands of pages may differ only in their query.
        self._tried: Counter[str] = Counter()

    def take(self, name: str) -> None:
        """Note that a name is taken."""
        self._taken.add(name)

    def choose(self, url: str) -> str:
        """Return a name without an extension: `https://example.com/a/b` becomes `example-com-a-b`."""
        stem = stem_of(url)
        while True:
            self._tried[stem] += 1
            number = self._tried[stem]
            name = stem if number == 1 else f"{stem}-{number}"
            if name not in self._taken:
                self._taken.add(name)
                return name


def stem_of(url: str) -> str:
    """What can be read of a URL, as the beginning of a name."""
    parts = urlsplit(url)
    path = re.sub(r"\.html?$", "", parts.path)
    stem = re.sub(r"[^A-Za-z0-9]+", "-", f"{parts.hostname or ''}{path}").strip("-").lower()
    return stem[:MAX_NAME_CHARS] or "page"
