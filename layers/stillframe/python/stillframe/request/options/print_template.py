"""The header and the footer of a PDF: markup that can show text and inline images, and nothing else.

Chromium neither runs scripts in a template nor loads anything for it, but a style sheet or a font with a URL ends its
renderer. So a template has only what is listed here.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

MAX_TEMPLATE_CHARS = 20_000
TEXT = ("a", "b", "bdi", "bdo", "big", "br", "code", "em", "font", "i", "mark", "nobr", "s", "small", "span", "strike")
MORE_TEXT = ("strong", "style", "sub", "sup", "time", "tt", "u", "wbr", "img")
BLOCKS = ("center", "div", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "ol", "p", "pre", "ul")
TABLES = ("table", "tbody", "td", "tfoot", "th", "thead", "tr")
ELEMENTS = frozenset((*TEXT, *MORE_TEXT, *BLOCKS, *TABLES))
APPEARANCE = ("align", "bgcolor", "border", "cellpadding", "cellspacing", "color", "face", "size", "style", "valign")
ATTRIBUTES = frozenset(
    (*APPEARANCE, "alt", "class", "colspan", "dir", "height", "id", "lang", "rowspan", "src", "title", "width")
)
INLINE_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml)[;,]", re.IGNORECASE)
# A backslash can spell the others in another way (CSS Syntax 3, 4.3.7).
STYLE_LOADS = re.compile(r"\\|@import|@font-face|url\s*\(|image-set\s*\(|src\s*\(", re.IGNORECASE)


class TemplateChecker(HTMLParser):
    """Raises a ValueError at the first part of a template that is not allowed.

    Browsers read malformed HTML in other ways than Python, so what they may disagree on is refused as well.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._may_be_style = False

    def feed(self, data: str) -> None:
        if "<!" in data or "<?" in data:
            raise ValueError("must not have comments or declarations")
        super().feed(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ELEMENTS:
            raise ValueError(f"must not have the element <{tag[:20]}>; text, tables, styles and inline images are fine")
        for name, value in attrs:
            if name not in ATTRIBUTES:
                raise ValueError(f"must not have the attribute {name[:20]}; style, class, src and width are fine")
            if name == "src" and not INLINE_IMAGE.match(value or ""):
                raise ValueError("must have its images inline, as data:image/... URLs")
            if name == "style":
                _check_style(value or "")
        self._may_be_style = self._may_be_style or tag == "style"

    def handle_data(self, data: str) -> None:
        if self._may_be_style:
            _check_style(data)


def _check_style(text: str) -> None:
    if STYLE_LOADS.search(text):
        raise ValueError("must not have url(), @import, @font-face or a backslash in its styles")


def check_template(template: str) -> str:
    """Return the template. Raises a ValueError that names what it must not have."""
    checker = TemplateChecker()
    checker.feed(template)
    checker.close()
    return template


def _check_text(value: Any) -> Any:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_TEMPLATE_CHARS:
        raise ValueError(f"must be HTML of 1 to {MAX_TEMPLATE_CHARS:,} characters")
    return value


PrintTemplate = Annotated[str, BeforeValidator(_check_text), AfterValidator(check_template)]
