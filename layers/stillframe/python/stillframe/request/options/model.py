"""All render options as one validated model, with wire names in camelCase."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic.alias_generators import to_snake

from stillframe.errors import InvalidRequest

from .access import AccessOptions
from .content import ContentOptions
from .devices import DEVICES, PRESETS
from .emulation import EmulationOptions, Media
from .extras import ExtraOptions
from .image import ImageFormat
from .problems import describe_problems
from .wait import WaitOptions

# A DynamoDB item holds 400 KB, which has to fit these options and the page facts.
MAX_BYTES = 200_000

PresetName = Literal["link-preview", "archive", "print", "mobile"]
DeviceName = Annotated[str, Field(json_schema_extra={"enum": sorted(DEVICES)})]


class RenderOptions(AccessOptions, EmulationOptions, ContentOptions, WaitOptions, ExtraOptions):
    """The options of one capture. Defaults are what most requests want; see docs/options.md."""

    preset: PresetName | None = None
    device: DeviceName | None = None

    @model_validator(mode="before")
    @classmethod
    def expand(cls, given: Any) -> Any:
        """Fill in the options that the preset, the device and a PDF stand for, except those that are set."""
        if not isinstance(given, dict):
            return given
        preset, device = given.get("preset"), given.get("device")
        if device is not None and (not isinstance(device, str) or device not in DEVICES):
            raise ValueError(f"device: must be one of {', '.join(sorted(DEVICES))}")
        named = {**PRESETS.get(str(preset), {}), **DEVICES.get(str(device), {})}
        expanded = {name: value for name, value in named.items() if to_snake(name) not in given} | given
        # A PDF is printed, so its styles are those of print.
        return {"media": Media.PRINT} | expanded if expanded.get("format") == ImageFormat.PDF else expanded

    @model_validator(mode="after")
    def refuse_scripts_beside_references(self) -> Self:
        """Refuse scripts and markup beside a referenced secret, because with them the requester could read it."""
        if self.has_references():
            given = {"html": self.html, "js": self.js, "waitForFunction": self.wait_for_function}
            for name, value in given.items():
                if value:
                    raise ValueError(
                        f"{name} and secretArn conflict: a request that references a secret cannot have scripts or "
                        "markup of its own"
                    )
        return self

    @model_validator(mode="after")
    def refuse_too_many_pixels(self) -> Self:
        pixels = self.viewport.width * self.viewport.height * self.device_scale_factor**2
        if pixels > self.max_pixels and self.format is not ImageFormat.PDF:
            raise ValueError(
                f"viewport and deviceScaleFactor conflict: {pixels:,.0f} pixels exceed the limit of {self.max_pixels:,}"
            )
        return self

    @model_validator(mode="after")
    def refuse_too_many_bytes(self) -> Self:
        if len(self.model_dump_json(exclude_defaults=True).encode()) > MAX_BYTES:
            raise ValueError(f"the options are larger than {MAX_BYTES:,} bytes and would not fit their record")
        return self

    @property
    def height_cap(self) -> int:
        """The tallest screenshot that these options allow, in CSS pixels: by maxHeight, the encoding and memory."""
        scale = self.device_scale_factor
        by_memory = self.max_pixels / (self.viewport.width * scale**2)
        return int(min(self.max_height, self.format.max_side / scale, by_memory))

    @classmethod
    def parse(cls, raw: dict[str, Any]) -> Self:
        """Validate options as received, with wire names.

        Raises InvalidRequest, whose message names each invalid option and its range.
        """
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            raise InvalidRequest(f"options: {describe_problems(error, cls)}") from error
