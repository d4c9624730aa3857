"""Makes text from pages and requesters safe to print on a terminal.

A URL, a title or an error message may come from a page or from a requester. Control characters in it could move the
cursor, change the colours or the title of the terminal, or fill the clipboard. Bidirectional controls could make one
name look like another (Unicode Technical Report #36, 2.8; CVE-2021-42574).
"""

from __future__ import annotations

# C0, DEL and C1 (ISO 6429); the separators that end a line; the bidirectional controls (UAX #9, 2).
UNSAFE = (
    *range(0x20),
    *range(0x7F, 0xA0),
    0x2028,
    0x2029,
    0x061C,
    0x200E,
    0x200F,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
)
ESCAPES = {code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in UNSAFE}
JSON_ESCAPES = {code: f"\\u{code:04x}" for code in UNSAFE}


def printable(text: str) -> str:
    """The text with every unsafe character as a visible escape, such as `\\x1b`."""
    return text.translate(ESCAPES)


def printable_json(text: str) -> str:
    """A JSON text on one line, with every unsafe character as a JSON escape, which leaves its values unchanged."""
    return text.translate(JSON_ESCAPES)
