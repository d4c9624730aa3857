"""The elements of a page where its screenshot shows them, so that a change can be named."""

from __future__ import annotations

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
