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
    """The element that a box shows: the smallest around it, or one within it that fills it better.

    What was inserted has blank lines above or below, so its box is larger than the element. Of elements that are equal,
    it is the innermost, which comes last.
    """
    known = list(reversed(list(elements)))
    around = min((each for each in known if _contains(each.box, box)), key=lambda each: each.area, default=None)
    within = max((each for each in known if _contains(box, each.box)), key=lambda each: each.area, default=None)
    area = (box[2] - box[0]) * (box[3] - box[1])
    if within is None or within.area < area / 2 or (around is not None and area / around.area > within.area / area):
        return around
    return within


def _contains(outer: Box, inner: Box) -> bool:
    return (
        outer[0] <= inner[0] + TOLERANCE
        and outer[1] <= inner[1] + TOLERANCE
        and outer[2] >= inner[2] - TOLERANCE
        and outer[3] >= inner[3] - TOLERANCE
    )
