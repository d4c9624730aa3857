"""What changed in the text of a page."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

# Comparing takes the product of both lengths at worst.
MAX_LINES = 3000
CONTEXT_LINES = 2


@dataclass(frozen=True, slots=True)
class TextChanges:
    """`added` and `removed` are numbers of lines; `diff` is the unified format of diff(1), empty if nothing changed."""

    added: int
    removed: int
    diff: str


def text_changes(before: str, after: str) -> TextChanges:
    """Compare two texts by lines. Raises ValueError if one has too many."""
    first, second = _lines(before), _lines(after)
    if max(len(first), len(second)) > MAX_LINES:
        raise ValueError(f"more than {MAX_LINES:,} lines")
    lines = list(difflib.unified_diff(first, second, "before", "after", n=CONTEXT_LINES, lineterm=""))
    changes = [line for line in lines[2:] if line.startswith(("+", "-"))]
    added = sum(line.startswith("+") for line in changes)
    return TextChanges(added, len(changes) - added, "".join(f"{line}\n" for line in lines))


def _lines(text: str) -> list[str]:
    """Lines that show something: blank ones come and go with the layout."""
    return [line.rstrip() for line in text.splitlines() if line.strip()]
