"""How a page is to be rendered: one validated model, wire names in camelCase."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from stillframe.errors import InvalidRequest

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


class WaitUntil(StrEnum):
    """The event after which a page counts as ready."""

    LOAD = "load"
    DOM_CONTENT_LOADED = "domcontentloaded"
    NETWORK_IDLE = "networkidle"


class WireModel(BaseModel):
    """Immutable, strict about unknown names, snake_case in Python and camelCase on the wire."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, allow_inf_nan=False
    )


class Viewport(WireModel):
    """Size of the window in CSS pixels."""

    width: Annotated[int, Field(ge=16, le=4096, strict=True)] = 1280
    height: Annotated[int, Field(ge=16, le=8192, strict=True)] = 800


class RenderOptions(WireModel):
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
            raise InvalidRequest("options: " + "; ".join(_sentence(item) for item in error.errors())) from error


def _sentence(item: Any) -> str:
    name = ".".join(str(part) for part in item["loc"])
    message = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        known = ", ".join(sorted(to_camel(field) for field in RenderOptions.model_fields))
        return f"{name} is not an option (known: {known})"
    bounds = _bounds(item["loc"])
    return f"{name}: {message}{bounds}" if name else message


def _bounds(location: tuple[Any, ...]) -> str:
    """The full range of an option, because `less than 101` alone makes users guess the other end."""
    field: Any = None
    model: Any = RenderOptions
    for part in location:
        fields = {to_camel(key): value for key, value in getattr(model, "model_fields", {}).items()}
        if part not in fields:
            break
        field = fields[part]
        model = field.annotation
    limits = {type(meta).__name__.lower(): meta for meta in _metadata(field)}
    if "ge" in limits and "le" in limits:
        return f" (range {limits['ge'].ge} to {limits['le'].le})"
    return ""


def _metadata(field: Any) -> list[Any]:
    if field is None:
        return []
    if field.metadata:
        return list(field.metadata)
    # `Annotated[int, ...] | None` keeps its limits one level down, in the member of the union.
    members = getattr(field.annotation, "__args__", ())
    return [meta for member in members for info in getattr(member, "__metadata__", ()) for meta in info.metadata]
