"""Checks of the style sheet that a request adds to a page."""

from __future__ import annotations

import re

# What may contain the text of a rule without being one (CSS Syntax, 4.3), and the names of rules, which may be escaped.
TOKEN = re.compile(
    r"""/\*.*?(?:\*/|\Z)
    |"(?:\\.|[^"\\\n])*"?
    |'(?:\\.|[^'\\\n])*'?
    |\burl\(\s*[^"'\s)][^)]*\)?
    |@(?P<rule>(?:\\[0-9a-f]{1,6}\s?|\\.|[\w-])+)""",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
ESCAPE = re.compile(r"\\([0-9a-f]{1,6})\s?|\\(.)", re.DOTALL | re.IGNORECASE)


def check_style_sheet(css: str) -> str:
    """Refuse `@import`, which a style sheet without a place in the document cannot have. Raises ValueError.

    Browsers ignore it in such a sheet (CSSOM, "replaceSync"), so the page would silently be without its rules.
    """
    if any(_unescaped(found["rule"]).lower() == "import" for found in TOKEN.finditer(css) if found["rule"]):
        raise ValueError("@import is not supported; put the rules of the imported style sheet into css")
    return css


def _unescaped(name: str) -> str:
    def text(found: re.Match[str]) -> str:
        code = int(found[1], 16) if found[1] else ord(found[2])
        # Not a character (CSS Syntax, 4.3.7).
        return chr(code) if code <= 0x10FFFF else "\ufffd"

    return ESCAPE.sub(text, name)
