"""Numbers of things, in words."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """The number with its noun, whose plural ends with s: `1 tab`, `1,200 tabs`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
