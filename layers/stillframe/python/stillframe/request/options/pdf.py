"""How a page is printed: its sheet, its margins, and what is added to it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from .print_template import PrintTemplate
from .wire import Flag, WireModel

MILLIMETRES_PER_INCH = 25.4
MILLIMETRES_PER_UNIT = {"mm": 1.0, "cm": 10.0, "in": MILLIMETRES_PER_INCH, "px": MILLIMETRES_PER_INCH / 96}
LENGTH = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(mm|cm|in|px)")
# The largest sheet that every reader of PDF 1.7 can show is 200 inches long (ISO 32000-1, Annex C).
MIN_SHEET_MM, MAX_SHEET_MM = 25, 5080
MAX_MARGIN_MM = 100
DEFAULT_MARGIN_MM = 10.0
UNITS = "mm, as a number or as text with mm, cm, in or px"


class Paper(StrEnum):
    """Paper sizes of ISO 216 and ANSI Y14.1."""

    A0 = "A0"
    A1 = "A1"
    A2 = "A2"
    A3 = "A3"
    A4 = "A4"
    A5 = "A5"
    A6 = "A6"
    LETTER = "Letter"
    LEGAL = "Legal"
    TABLOID = "Tabloid"

    @property
    def millimetres(self) -> tuple[float, float]:
        """Width and height in portrait orientation.

        A3, A4 and A5 are rounded to hundredths of an inch, as they are in the DevTools protocol.
        """
        return {
            Paper.A0: (841.0, 1189.0),
            Paper.A1: (594.0, 841.0),
            Paper.A2: (420.0, 594.0),
            Paper.A3: (11.69 * MILLIMETRES_PER_INCH, 16.54 * MILLIMETRES_PER_INCH),
            Paper.A4: (8.27 * MILLIMETRES_PER_INCH, 11.69 * MILLIMETRES_PER_INCH),
            Paper.A5: (5.83 * MILLIMETRES_PER_INCH, 8.27 * MILLIMETRES_PER_INCH),
            Paper.A6: (105.0, 148.0),
            Paper.LETTER: (8.5 * MILLIMETRES_PER_INCH, 11.0 * MILLIMETRES_PER_INCH),
            Paper.LEGAL: (8.5 * MILLIMETRES_PER_INCH, 14.0 * MILLIMETRES_PER_INCH),
            Paper.TABLOID: (11.0 * MILLIMETRES_PER_INCH, 17.0 * MILLIMETRES_PER_INCH),
        }[self]


def parse_length(value: Any) -> float:
    """A length in millimetres: a number, or text with a unit. Raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = LENGTH.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("not a length")
    # So that equal lengths in different units make the same request.
    return round(float(match[1]) * MILLIMETRES_PER_UNIT[match[2]], 4)


def _length_schema(lowest: float, highest: float) -> WithJsonSchema:
    return WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": lowest, "maximum": highest},
                {"type": "string", "pattern": f"^{LENGTH.pattern}$"},
            ]
        }
    )


def parse_side(value: Any) -> float:
    """One side of an own paper size in millimetres. Raises ValueError."""
    length = parse_length(value)
    if not MIN_SHEET_MM <= length <= MAX_SHEET_MM:
        raise ValueError("out of range")
    return length


def parse_margin(value: Any) -> float:
    """The margin of one side in millimetres. Raises a ValueError that says what it may be."""
    try:
        length = parse_length(value)
    except ValueError:
        length = -1.0
    if not 0 <= length <= MAX_MARGIN_MM:
        raise ValueError(f"must be 0 to {MAX_MARGIN_MM} {UNITS}")
    return length


class PaperSize(WireModel):
    """A sheet of any size."""

    width: Annotated[float, BeforeValidator(parse_side), _length_schema(MIN_SHEET_MM, MAX_SHEET_MM)]
    height: Annotated[float, BeforeValidator(parse_side), _length_schema(MIN_SHEET_MM, MAX_SHEET_MM)]

    @property
    def millimetres(self) -> tuple[float, float]:
        return self.width, self.height


def parse_paper(value: Any) -> Paper | PaperSize:
    """The name of a paper, or an own size. Raises a ValueError that says what it may be."""
    if isinstance(value, Paper | PaperSize):
        return value
    try:
        return PaperSize.model_validate(value) if isinstance(value, dict) else Paper(value)
    except ValueError:
        # One message instead of one for each kind of paper.
        raise ValueError(
            "must be A0 to A6, Letter, Legal, Tabloid or {width, height}, each "
            f"{MIN_SHEET_MM} to {MAX_SHEET_MM} {UNITS}"
        ) from None


Margin = Annotated[float, BeforeValidator(parse_margin), _length_schema(0, MAX_MARGIN_MM)]


class Margins(WireModel):
    """The margins of single sides; the others follow `marginMm`."""

    top: Margin | None = None
    right: Margin | None = None
    bottom: Margin | None = None
    left: Margin | None = None


def parse_page_ranges(value: Any) -> str:
    """Page ranges such as `1-3, 5, 8-`, counted from 1. Raises a ValueError that says what they may be."""
    parts = [part.strip() for part in value.split(",")] if isinstance(value, str) and len(value) <= 200 else [""]
    if not all(_is_page_range(part) for part in parts):
        raise ValueError('must be pages counted from 1, such as "1-3, 5, 8-", in up to 200 characters')
    return ",".join(parts)


def _is_page_range(text: str) -> bool:
    match = re.fullmatch(r"([1-9]\d{0,5})(?:-([1-9]\d{0,5})?)?", text, re.ASCII)
    return match is not None and (match[2] is None or int(match[1]) <= int(match[2]))


class PdfOptions(WireModel):
    """How a page is printed; with format pdf only.

    A page's own sheet and margins (`@page`) apply, unless the request names a paper or margins.
    """

    paper: Annotated[Paper | PaperSize, BeforeValidator(parse_paper)] | None = None
    landscape: Flag = False
    margin_mm: Annotated[float, Field(ge=0, le=MAX_MARGIN_MM)] | None = None
    margins: Margins | None = None
    scale: Annotated[float, Field(ge=0.1, le=2)] = 1.0
    background: Flag = True
    page_ranges: Annotated[str, BeforeValidator(parse_page_ranges)] | None = None
    header: PrintTemplate | None = None
    footer: PrintTemplate | None = None
    outline: Flag = False
    tagged: Flag = True
    single_page: Flag = False

    @property
    def names_sheet(self) -> bool:
        """Whether the request decides on the sheet, and not the page."""
        return self.paper is not None or self.landscape or self.single_page

    @property
    def names_margins(self) -> bool:
        """Whether the request decides on the margins, and not the page."""
        return self.margin_mm is not None or self.margins is not None or self.single_page

    @property
    def sheet_mm(self) -> tuple[float, float]:
        """Width and height of the sheet that the request names, or A4."""
        width, height = (self.paper or Paper.A4).millimetres
        return (max(width, height), min(width, height)) if self.landscape else (width, height)

    @property
    def margins_mm(self) -> tuple[float, float, float, float]:
        """Top, right, bottom and left margin that the request names, or the default."""
        every = DEFAULT_MARGIN_MM if self.margin_mm is None else self.margin_mm
        sides = self.margins or Margins()
        top, right, bottom, left = (
            every if side is None else side for side in (sides.top, sides.right, sides.bottom, sides.left)
        )
        return top, right, bottom, left

    @model_validator(mode="after")
    def refuse_sheets_without_room(self) -> Self:
        (width, height), (top, right, bottom, left) = self.sheet_mm, self.margins_mm
        is_too_narrow = width - left - right < 1
        is_too_low = height - top - bottom < 1 and not self.single_page
        if is_too_narrow or is_too_low:
            named = "margins" if self.margins is not None else "marginMm"
            raise ValueError(f"{named} and paper conflict: the margins leave no room on the sheet")
        return self

    @model_validator(mode="after")
    def refuse_outline_without_tags(self) -> Self:
        if self.outline and not self.tagged:
            raise ValueError("outline and tagged conflict: an outline is made of tagged headings, set tagged to true")
        return self
