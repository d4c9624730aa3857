"""Freshness by naming: equal requests of one window of time are one screenshot.

Each payload's windows begin at an offset of its own, taken from its hash, so that they do not all end at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

# The part of the hash that the offset is taken from: 64 bits, of which the longest window (a year) needs 35.
OFFSET_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Window:
    """The window of a payload that a moment lies in. Times are milliseconds since the epoch."""

    payload_hash: str
    seconds: int
    number: int

    @classmethod
    def at(cls, payload_hash: str, seconds: int, at_ms: int) -> Self:
        """`payload_hash` is in hex, `seconds` the length of a window."""
        length = seconds * 1000
        return cls(payload_hash, seconds, (at_ms - _offset(payload_hash, length)) // length)

    @property
    def begins_ms(self) -> int:
        length = self.seconds * 1000
        return self.number * length + _offset(self.payload_hash, length)

    @property
    def ends_ms(self) -> int:
        return self.begins_ms + self.seconds * 1000

    @property
    def id(self) -> str:
        """The screenshot id of every request in the window.

        It has the length of the window, because windows of other lengths have the same numbers at other times.
        """
        return f"{self.payload_hash}.{self.seconds}.{self.number}"


def _offset(payload_hash: str, length: int) -> int:
    return int(payload_hash[:OFFSET_DIGITS], 16) % length
