"""File names for the images that `shoot` writes."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

MAX_NAME_CHARS = 100


def filename_for(url: str, extension: str, is_taken: Callable[[str], bool]) -> str:
    """Return a readable name that is not taken: `https://example.com/a/b` becomes `example-com-a-b.png`."""
    parts = urlsplit(url)
    path = re.sub(r"\.html?$", "", parts.path)
    stem = re.sub(r"[^A-Za-z0-9]+", "-", f"{parts.hostname or ''}{path}").strip("-").lower()[:MAX_NAME_CHARS] or "page"
    name, number = f"{stem}.{extension}", 1
    while is_taken(name):
        number += 1
        name = f"{stem}-{number}.{extension}"
    return name
