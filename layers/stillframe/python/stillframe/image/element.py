"""The elements of a page where its screenshot shows them, so that a change can be named."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

# Left, top, right, bottom in pixels of the image.
Box = tuple[int, int, int, int]
# A region reaches this far beyond its element by rounding and by shadows.
TOLERANCE = 2


@dataclass(frozen=True, slots=True)
class PageElement:
    """An element with a CSS selector for it, and the text in it (shortened, empty for one without text of its own)."""

    box: Box
    selector: str
    text: str = ""

    @property
    def area(self) -> int:
        """In pixels of the image."""
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)


def to_json(elements: Iterable[PageElement]) -> bytes:
    """Elements as a file, which `from_json` reads."""
    values = [{"box": element.box, "selector": element.selector, "text": element.text} for element in elements]
    # A page may contain lone surrogates, which cannot be encoded.
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def from_json(data: bytes) -> list[PageElement]:
    """The elements of a file. Raises ValueError if it is none."""
    try:
        return [PageElement(tuple(each["box"]), each["selector"], each["text"]) for each in json.loads(data)]
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a list of elements: {error}") from error


def element_at(elements: Iterable[PageElement], box: Box) -> PageElement | None:
    """The smallest element around a box; of equal ones the innermost, which comes last."""
    left, top, right, bottom = box
    around = [
        element
        for element in elements
        if element.box[0] <= left + TOLERANCE
        and element.box[1] <= top + TOLERANCE
        and element.box[2] >= right - TOLERANCE
        and element.box[3] >= bottom - TOLERANCE
    ]
    return min(reversed(around), key=lambda element: element.area, default=None)
