"""How a page is to be rendered: one validated model, wire names in camelCase."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from stillframe.errors import InvalidRequest

from .access import AccessOptions
from .picture import MAX_FULL_PAGE_HEIGHT, MAX_PIXELS, ImageFormat, Viewport
from .problems import sentences
from .wait import WaitUntil


class RenderOptions(AccessOptions):
    """The options of one capture. Defaults are what most requests want; see docs/options.md."""

    viewport: Viewport = Viewport()
    device_scale_factor: Annotated[float, Field(ge=0.5, le=4, strict=True)] = 1.0
    full_page: Annotated[bool, Field(strict=True)] = False
    max_height: Annotated[int, Field(ge=16, le=MAX_FULL_PAGE_HEIGHT, strict=True)] = 16_384
    format: ImageFormat = ImageFormat.PNG
    quality: Annotated[int, Field(ge=1, le=100, strict=True)] | None = None
    wait_until: WaitUntil = WaitUntil.LOAD
    delay_ms: Annotated[int, Field(ge=0, le=30_000, strict=True)] = 0
    timeout_ms: Annotated[int, Field(ge=100, le=120_000, strict=True)] = 30_000
    fail_on_status: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def refuse_conflicts(self) -> Self:
        if self.quality is not None and self.format is ImageFormat.PNG:
            raise ValueError("quality and format conflict: png is lossless, use format jpeg or webp with quality")
        if "max_height" in self.model_fields_set and not self.full_page:
            raise ValueError("maxHeight and fullPage conflict: maxHeight caps a full page, set fullPage to true")
        pixels = self.viewport.width * self.viewport.height * self.device_scale_factor**2
        if pixels > MAX_PIXELS:
            raise ValueError(
                f"viewport and deviceScaleFactor conflict: {pixels:,.0f} pixels are over the limit of {MAX_PIXELS:,}"
            )
        return self

    @property
    def height_cap(self) -> int:
        """Tallest picture in CSS pixels that these options allow: by maxHeight, the encoding and memory."""
        scale = self.device_scale_factor
        by_memory = MAX_PIXELS / (self.viewport.width * scale**2)
        return int(min(self.max_height, self.format.max_side / scale, by_memory))

    @classmethod
    def parse(cls, raw: dict[str, Any]) -> Self:
        """Validate options as they came on the wire.

        Raises InvalidRequest with one sentence that names each wrong option and its range.
        """
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            raise InvalidRequest(f"options: {sentences(error, cls)}") from error
