"""Which part of the page is captured, and how the image is encoded."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from .pdf import PdfOptions
from .wire import Flag, Selector, WireModel

# With the GPU off, a page of 60,000 px is rendered correctly; one of 200,000 px came out white.
MAX_FULL_PAGE_HEIGHT = 60_000
# At 4 bytes per pixel, the decoded image stays under 400 MB in the renderer.
MAX_PIXELS = 100_000_000
MAX_SELECTORS = 20


class ImageFormat(StrEnum):
    """The encoding of the image."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    AVIF = "avif"
    PDF = "pdf"

    @property
    def content_type(self) -> str:
        return "application/pdf" if self is ImageFormat.PDF else f"image/{self.value}"

    @property
    def extension(self) -> str:
        return "jpg" if self is ImageFormat.JPEG else self.value

    @property
    def max_side(self) -> int:
        """The longest side in device pixels that the encoding can hold.

        JPEG counts lines in 16 bits (ITU T.81, B.2.2), WebP in 14 (RFC 9649, section 2.6). AVIF's baseline profile,
        which every decoder supports, ends at 16,384 (AVIF 1.1, section 8.2).
        """
        return {ImageFormat.JPEG: 65_500, ImageFormat.WEBP: 16_383, ImageFormat.AVIF: 16_384}.get(self, 2**31 - 1)

    @property
    def is_lossy(self) -> bool:
        return self in (ImageFormat.JPEG, ImageFormat.WEBP, ImageFormat.AVIF)


class Clip(WireModel):
    """A region of the document in CSS pixels, measured from its upper left corner."""

    x: Annotated[int, Field(ge=0, le=MAX_FULL_PAGE_HEIGHT, strict=True)] = 0
    y: Annotated[int, Field(ge=0, le=MAX_FULL_PAGE_HEIGHT, strict=True)] = 0
    width: Annotated[int, Field(ge=1, le=MAX_FULL_PAGE_HEIGHT, strict=True)]
    height: Annotated[int, Field(ge=1, le=MAX_FULL_PAGE_HEIGHT, strict=True)]


MaxHeight = Annotated[int, Field(ge=16, le=MAX_FULL_PAGE_HEIGHT, strict=True)]
Padding = Annotated[int, Field(ge=0, le=1000, strict=True)]
Quality = Annotated[int, Field(ge=1, le=100, strict=True)]


class ImageOptions(WireModel):
    """What is captured (the viewport by default) and its encoding."""

    full_page: Flag = False
    max_height: MaxHeight = 16_384
    # What the image shows: the smallest region that has the first match of each selector, or all matches.
    selector: Selector | Annotated[tuple[Selector, ...], Field(min_length=1, max_length=MAX_SELECTORS)] | None = None
    matches: Literal["first", "all"] = "first"
    # An image of each element as well, beside the one of all.
    separate: Flag = False
    padding: Padding = 0
    clip: Clip | None = None
    omit_background: Flag = False
    format: ImageFormat = ImageFormat.PNG
    quality: Quality | None = None
    pdf: PdfOptions = PdfOptions()
    max_pixels: Annotated[int, Field(ge=1000, le=MAX_PIXELS, strict=True)] = MAX_PIXELS

    @property
    def selectors(self) -> tuple[str, ...]:
        """The selectors of what is captured, none if that is not an element."""
        return (self.selector,) if isinstance(self.selector, str) else self.selector or ()

    @model_validator(mode="after")
    def refuse_conflicts(self) -> Self:
        chosen = self.format.value
        is_pdf, is_format_given = self.format is ImageFormat.PDF, "format" in self.model_fields_set
        parts = {"selector": self.selector, "clip": self.clip, "fullPage": self.full_page}
        wanted = [name for name, value in parts.items() if value]
        problems = {
            f"quality and format conflict: {chosen} has no quality, use jpeg, webp or avif": (
                self.quality is not None and not self.format.is_lossy and is_format_given
            ),
            "quality needs format jpeg, webp or avif: the default is png, which has no quality": (
                self.quality is not None and not is_format_given
            ),
            "maxHeight needs fullPage: it limits the height of a full page": (
                "max_height" in self.model_fields_set and not self.full_page
            ),
            f"{' and '.join(wanted)} conflict: a capture is of an element, of a region or of the full page": (
                len(wanted) > 1 and not is_pdf
            ),
            f"{', '.join(wanted)} and format conflict: a pdf always contains the whole page": bool(wanted and is_pdf),
            "padding needs selector: it surrounds an element": self.padding > 0 and self.selector is None,
            "matches needs selector: it says which matches are captured": self.matches != "first" and not self.selector,
            "separate needs selector: it is for an image of each element": self.separate and not self.selector,
            f"omitBackground and format conflict: {chosen} has no transparency, use png, webp or avif": (
                self.omit_background and self.format in (ImageFormat.JPEG, ImageFormat.PDF)
            ),
            "pdf needs format pdf: it says how a page is printed": self.pdf != PdfOptions() and not is_pdf,
        }
        found = [problem for problem, is_present in problems.items() if is_present]
        if found:
            raise ValueError("; ".join(found))
        return self
