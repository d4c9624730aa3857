"""The size of a sheet: as the PDF has it, and as the page or the request named it.

Chromium rounds a sheet to whole points, so the PDF alone is up to a CSS pixel off (Skia then writes 1/300 inch). A
named size that is as close as that to the PDF's is what the sheet really is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from stillframe.request.options.pdf import MILLIMETRES_PER_INCH

PIXELS_PER_INCH = 96
POINTS_PER_INCH = 72
PIXELS_PER_MM = PIXELS_PER_INCH / MILLIMETRES_PER_INCH
MAX_ROUNDING_PIXELS = 2.0
MAX_DEPTH = 50

# Of CSS Paged Media 3, 7.1, in millimetres.
NAMED_MM = {
    "a5": (148, 210),
    "a4": (210, 297),
    "a3": (297, 420),
    "b5": (176, 250),
    "b4": (250, 353),
    "jis-b5": (182, 257),
    "jis-b4": (257, 364),
    "letter": (215.9, 279.4),
    "legal": (215.9, 355.6),
    "ledger": (279.4, 431.8),
}
PIXELS_PER_UNIT = {
    "mm": PIXELS_PER_MM,
    "cm": PIXELS_PER_MM * 10,
    "q": PIXELS_PER_MM / 4,
    "in": 96.0,
    "pt": 96 / 72,
    "pc": 16.0,
    "px": 1.0,
}
LENGTH = re.compile(r"([\d.]+)(mm|cm|q|in|pt|pc|px)")

REFERENCE = rb"\s*(\d+)\s+0\s+R"
MEDIA_BOX = re.compile(rb"/MediaBox\s*\[\s*(-?[\d.]+)\s+(-?[\d.]+)\s+(-?[\d.]+)\s+(-?[\d.]+)\s*\]")


@dataclass(frozen=True, slots=True)
class PrintedSheets:
    """The first sheet of a PDF in CSS pixels, and how many sheets there are."""

    width: float
    height: float
    count: int


class UnreadablePdf(ValueError):
    """It is not a PDF as Chromium writes it."""


def read_sheets(pdf: bytes) -> PrintedSheets:
    """Read the first sheet and the number of sheets. Raises UnreadablePdf.

    Reads PDF 1.4 with a cross-reference table (ISO 32000-1, 7.5.4), which is what Chromium writes.
    """
    try:
        offsets, trailer = _cross_references(pdf)
        pages = _object(pdf, offsets, _reference(_object(pdf, offsets, _reference(trailer, b"Root")), b"Pages"))
        count = re.search(rb"/Count\s+(\d+)", pages)
        page = pages
        for _ in range(MAX_DEPTH):
            first = re.search(rb"/Kids\s*\[" + REFERENCE, page)
            if first is None:
                break
            page = _object(pdf, offsets, int(first[1]))
        box = MEDIA_BOX.search(page)
        if count is None or box is None:
            raise UnreadablePdf("no pages")
        left, bottom, right, top = (float(value) * PIXELS_PER_INCH / POINTS_PER_INCH for value in box.groups())
        return PrintedSheets(right - left, top - bottom, int(count[1]))
    except (IndexError, KeyError) as error:
        raise UnreadablePdf(f"an object is missing: {error}") from error


def _cross_references(pdf: bytes) -> tuple[dict[int, int], bytes]:
    """Where each object begins, and the trailer."""
    start = re.search(rb"startxref\s+(\d+)\s+%%EOF\s*\Z", pdf[-100:])
    table = re.compile(rb"xref\s+0 (\d+)\s+").match(pdf, int(start[1])) if start else None
    if table is None:
        raise UnreadablePdf("no cross-reference table")
    # Each entry takes twenty bytes.
    number = int(table[1])
    entries = pdf[table.end() : table.end() + 20 * number]
    offsets = {index: int(entries[20 * index : 20 * index + 10] or b"0") for index in range(number)}
    return offsets, pdf[table.end() + 20 * number :]


def _object(pdf: bytes, offsets: dict[int, int], number: int) -> bytes:
    begin = offsets[number]
    end = pdf.find(b"endobj", begin)
    return pdf[begin : end if end >= 0 else len(pdf)]


def _reference(body: bytes, name: bytes) -> int:
    found = re.search(rb"/" + name + REFERENCE, body)
    if found is None:
        raise UnreadablePdf(f"no {name.decode()}")
    return int(found[1])


def parse_size(text: str) -> tuple[float, float] | None:
    """The sheet that a value of `size` (CSS Paged Media 3, 7.1) stands for, in CSS pixels and upright."""
    words = text.lower().split()
    for word in words:
        if word in NAMED_MM:
            width, height = NAMED_MM[word]
            return width * PIXELS_PER_MM, height * PIXELS_PER_MM
    try:
        lengths = [float(match[1]) * PIXELS_PER_UNIT[match[2]] for match in map(LENGTH.fullmatch, words) if match]
    except ValueError:
        return None
    return (min(lengths[:2]), max(lengths[:2])) if lengths else None


def true_size(printed: PrintedSheets, named: Iterable[tuple[float, float]]) -> tuple[int, int]:
    """Width and height of a printed sheet in whole CSS pixels, as named if one of the named sizes is that sheet."""
    for one, other in named:
        for width, height in ((one, other), (other, one)):
            if max(abs(width - printed.width), abs(height - printed.height)) <= MAX_ROUNDING_PIXELS:
                return round(width), round(height)
    return round(printed.width), round(printed.height)
