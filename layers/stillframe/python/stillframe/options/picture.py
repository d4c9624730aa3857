"""What is pictured, and how it is encoded."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from .wire import WireModel

# A 60,000 px page is drawn right with the GPU off; 200,000 px ended white.
MAX_FULL_PAGE_HEIGHT = 60_000
# 4 bytes a pixel: the decoded image stays under 400 MB in the renderer.
MAX_PIXELS = 100_000_000


class ImageFormat(StrEnum):
    """The encoding of the image."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"

    @property
    def content_type(self) -> str:
        return f"image/{self.value}"

    @property
    def extension(self) -> str:
        return "jpg" if self is ImageFormat.JPEG else self.value

    @property
    def max_side(self) -> int:
        """Longest side in device pixels that the encoding can hold.

        JPEG counts lines in 16 bits (ITU T.81, B.2.2); WebP has 14 bits (RFC 9649, section 2.6).
        """
        return {ImageFormat.PNG: 2**31 - 1, ImageFormat.JPEG: 65_500, ImageFormat.WEBP: 16_383}[self]


class Viewport(WireModel):
    """Size of the window in CSS pixels."""

    width: Annotated[int, Field(ge=16, le=4096, strict=True)] = 1280
    height: Annotated[int, Field(ge=16, le=8192, strict=True)] = 800
