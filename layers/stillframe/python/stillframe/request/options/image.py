"""Which part of the page is captured, and how the image is encoded."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from .pdf import PdfOptions
from .wire import Flag, Selector, WireModel

# With the GPU off, a page of 60,000 px is rendered correctly; one of 200,000 px came out white.
MAX_FULL_PAGE_HEIGHT = 60_000
# At 4 bytes per pixel, the decoded image stays under 400 MB in the renderer.
MAX_PIXELS = 100_000_000


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


class ImageOptions(WireModel):
    """What is captured (the viewport by default) and its encoding."""

    full_page: Flag = False
    max_height: Annotated[int, Field(ge=16, le=MAX_FULL_PAGE_HEIGHT, strict=True)] = 16_384
    selector: Selector | None = None
    padding: Annotated[int, Field(ge=0, le=1000, strict=True)] = 0
    clip: Clip | None = None
    omit_background: Flag = False
    format: ImageFormat = ImageFormat.PNG
    quality: Annotated[int, Field(ge=1, le=100, strict=True)] | None = None
    pdf: PdfOptions = PdfOptions()
    max_pixels: Annotated[int, Field(ge=1000, le=MAX_PIXELS, strict=True)] = MAX_PIXELS

    @model_validator(mode="after")
    def refuse_conflicts(self) -> Self:
        problems = {
            "quality and format conflict: png and pdf have no quality, use format jpeg, webp or avif": (
                self.quality is not None and not self.format.is_lossy
            ),
            "maxHeight and fullPage conflict: maxHeight caps a full page, set fullPage to true": (
                "max_height" in self.model_fields_set and not self.full_page
            ),
            "selector and fullPage conflict: capture an element or the page": bool(self.selector and self.full_page),
            "selector and clip conflict: capture an element or a region": bool(self.selector and self.clip),
            "clip and fullPage conflict: capture a region or the page": bool(self.clip and self.full_page),
            "padding and selector conflict: padding surrounds an element, set selector": (
                self.padding > 0 and self.selector is None
            ),
            "omitBackground and format conflict: jpeg and pdf have no transparency, use png, webp or avif": (
                self.omit_background and self.format in (ImageFormat.JPEG, ImageFormat.PDF)
            ),
            "pdf and format conflict: pdf applies to format pdf only": (
                self.pdf != PdfOptions() and self.format is not ImageFormat.PDF
            ),
            **{
                f"format and {name} conflict: a pdf always contains the whole page": (
                    self.format is ImageFormat.PDF and is_set
                )
                for name, is_set in (
                    ("selector", self.selector is not None),
                    ("clip", self.clip is not None),
                    ("fullPage", self.full_page),
                )
            },
        }
        found = [problem for problem, is_present in problems.items() if is_present]
        if found:
            raise ValueError("; ".join(found))
        return self
