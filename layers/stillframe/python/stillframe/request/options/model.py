"""All render options as one validated model, with wire names in camelCase."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel, to_snake

from stillframe.errors import InvalidRequest

from .access import AccessOptions
from .comparison import ComparisonRules
from .content import ContentOptions
from .devices import DEVICES, PRESETS, DeviceName
from .emulation import EmulationOptions, Media, Viewport
from .extras import ExtraOptions
from .image import ImageFormat, ImageOptions
from .masks import MaskOptions
from .problems import describe_problems
from .repeat import Animations, RepeatOptions
from .shots import MAX_SHOTS, ShotOptions, check_names
from .wait import WaitOptions

# A DynamoDB item holds 400 KB, which has to fit these options and the page facts.
MAX_BYTES = 200_000

PresetName = Literal["link-preview", "archive", "print", "mobile", "repeatable"]


class RenderOptions(
    AccessOptions, EmulationOptions, ContentOptions, MaskOptions, WaitOptions, RepeatOptions, ExtraOptions
):
    """The options of one capture. Defaults are what most requests want; see docs/options.md."""

    preset: PresetName | None = None
    device: DeviceName | None = None
    # Further images of the same load.
    shots: Annotated[tuple[ShotOptions, ...], Field(max_length=MAX_SHOTS)] = ()

    @model_validator(mode="before")
    @classmethod
    def expand(cls, given: Any) -> Any:
        """Fill in the options that the preset, the device and a PDF stand for, except those that are set."""
        if not isinstance(given, dict):
            return given
        named = _named(given)
        expanded = {name: value for name, value, _ in named if to_snake(name) not in given} | given
        # A PDF is printed, so its styles are those of print.
        return {"media": Media.PRINT} | expanded if expanded.get("format") == ImageFormat.PDF else expanded

    @property
    def effective_animations(self) -> Animations:
        """What happens to animations: as asked, or else so that what is compared, or must not move, stands still."""
        if self.animations is not None:
            return self.animations
        return Animations.STOP if self.reduced_motion or self.compare_to is not None else Animations.FINISH

    @model_validator(mode="after")
    def refuse_scripts_beside_references(self) -> Self:
        """Refuse scripts and markup beside a referenced secret, because with them the requester could read it."""
        if self.has_references():
            given = {"html": self.html, "js": self.js, "initScript": self.init_script}
            given |= {"waitForFunction": self.wait_for_function}
            for name, value in given.items():
                if value:
                    raise ValueError(
                        f"{name} and secretArn conflict: a request that references a secret cannot have scripts or "
                        "markup of its own"
                    )
        return self

    @model_validator(mode="after")
    def refuse_too_many_pixels(self) -> Self:
        self._check_pixels()
        return self

    @model_validator(mode="after")
    def refuse_impossible_shots(self) -> Self:
        if self.shots and self.format is ImageFormat.PDF:
            raise ValueError("shots and format conflict: a pdf is printed, which leaves no page to take images of")
        check_names(self.shots)
        for place, shot in enumerate(self.shots):
            try:
                self.of_shot(shot)._check_pixels()
            except ValidationError as error:
                raise ValueError(f"shots.{place}: {describe_problems(error, ImageOptions, {})}") from error
            except ValueError as error:
                raise ValueError(f"shots.{place}: {error}") from error
        return self

    def of_shot(self, shot: ShotOptions) -> Self:
        """The options of a shot: those of the request, without its files, and with what the shot sets.

        Raises ValidationError if what the shot sets conflicts with itself, or with the request.
        """
        inherited = ImageOptions.model_fields.keys() - {"separate", "pdf"}
        common = {name: getattr(self, name) for name in self.model_fields_set & inherited}
        values = shot.over(common)
        window: dict[str, Any] = {
            name: values.pop(name) for name in ("viewport", "device_scale_factor") if name in values
        }
        if isinstance(window.get("viewport"), dict):
            window["viewport"] = Viewport(**window["viewport"])
        image = ImageOptions.model_validate(values)
        update: dict[str, Any] = {name: getattr(image, name) for name in ImageOptions.model_fields}
        update |= {**window, "shots": (), "thumbnail": None, "save": (), "perceptual_hash": False, "compare_to": None}
        # What a comparison ignores is in the image alone.
        update["comparison"] = ComparisonRules()
        return self.model_copy(update={name: each for name, each in update.items() if each != getattr(self, name)})

    def _check_pixels(self) -> None:
        pixels = self.viewport.width * self.viewport.height * self.device_scale_factor**2
        if pixels > self.max_pixels and self.format is not ImageFormat.PDF:
            fields = ("viewport", "device_scale_factor", "max_pixels")
            names = [to_camel(name) for name in fields if name in self.model_fields_set]
            raise ValueError(
                f"{' and '.join(names)}{' conflict' if names[1:] else ''}: the window has {pixels:,.0f} pixels, more "
                f"than the limit of {self.max_pixels:,}"
            )

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
            problems = describe_problems(error, cls, raw)
            raise InvalidRequest(f"options: {_with_origins(problems, raw)}") from error


def _named(given: dict[str, Any]) -> list[tuple[str, Any, str]]:
    """The options that a preset and a device stand for: name, value, and what it comes from. A device is the second."""
    sources = (("preset", PRESETS), ("device", DEVICES))
    return [
        (name, value, f"{option} {given[option]}")
        for option, table in sources
        for name, value in table.get(str(given.get(option)), {}).items()
    ]


def _with_origins(problems: str, given: dict[str, Any]) -> str:
    """Say of an option that was not sent where it comes from."""
    origins = {name: origin for name, _, origin in _named(given) if name not in given and to_snake(name) not in given}
    for name, origin in origins.items():
        problems = re.sub(
            rf"(?<![\w.]){name}\b(?= and | conflict| needs|, )", f"{name} (of {origin})", problems, count=1
        )
    return problems
