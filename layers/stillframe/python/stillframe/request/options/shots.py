"""Shots: further images of one load, each with its own window, its own part of the page and its own encoding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from .devices import DEVICES, DeviceName
from .emulation import Scale, Viewport
from .image import MAX_SELECTORS, Clip, ImageFormat, MaxHeight, Padding, Quality
from .wire import Flag, Selector, WireModel

# As many as there are selectors in one image. Each takes up to a second of the job's time, a put, and 450 bytes of the
# record, which has to stay far below the 240 KB of an event.
MAX_SHOTS = 20
NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,39}$"
NAME_RULE = "1 to 40 of a-z 0-9 -, not starting with a hyphen"
# What a shot captures: one of its own takes the place of the request's.
PARTS = frozenset({"full_page", "max_height", "selector", "matches", "padding", "clip"})
# What a device stands for that the page learns while it loads. A shot comes too late for it.
OF_THE_LOAD = ("mobile", "touch", "userAgent")


class ShotOptions(WireModel):
    """One further image. What it does not set is as in the request; of a device, it has the window alone."""

    name: Annotated[str, Field(pattern=NAME_PATTERN, description=NAME_RULE)]
    viewport: Viewport | None = None
    device: DeviceName | None = None
    device_scale_factor: Scale | None = None
    full_page: Flag | None = None
    max_height: MaxHeight | None = None
    selector: Selector | Annotated[tuple[Selector, ...], Field(min_length=1, max_length=MAX_SELECTORS)] | None = None
    matches: Literal["first", "all"] | None = None
    padding: Padding | None = None
    clip: Clip | None = None
    omit_background: Flag | None = None
    # A PDF is printed, and not taken.
    format: Literal[ImageFormat.PNG, ImageFormat.JPEG, ImageFormat.WEBP, ImageFormat.AVIF] | None = None
    quality: Quality | None = None

    @model_validator(mode="after")
    def refuse_two_windows(self) -> Self:
        if self.device is not None and self.viewport is not None:
            raise ValueError("device and viewport conflict: a device has a viewport of its own")
        return self

    def over(self, common: dict[str, Any]) -> dict[str, Any]:
        """The image options and the window of this shot, by Python names, over those that the request has set."""
        own = {name: value for name in type(self).model_fields if (value := getattr(self, name)) is not None}
        del own["name"]
        device = DEVICES[own.pop("device")] if self.device is not None else {}
        window = {"viewport": "viewport", "deviceScaleFactor": "device_scale_factor"}
        own = {to: device[name] for name, to in window.items() if name in device} | own
        values = {name: value for name, value in common.items() if not (name in PARTS and own.keys() & PARTS)} | own
        image_format = values.get("format", ImageFormat.PNG)
        # What the request says of its own encoding is no mistake of a shot that has another one.
        if "quality" not in own and not image_format.is_lossy:
            values.pop("quality", None)
        if "omit_background" not in own and image_format is ImageFormat.JPEG:
            values.pop("omit_background", None)
        return values

    def not_emulated(self, load: dict[str, Any]) -> list[str]:
        """The options of its device, by wire name, that the page was loaded without. `load` has the request's."""
        if self.device is None:
            return []
        meant = {"mobile": False, "touch": False} | DEVICES[self.device]
        return [name for name in OF_THE_LOAD if name in meant and load[name] != meant[name]]


def check_names(shots: Sequence[ShotOptions]) -> None:
    """Raises ValueError if two shots have one name, or if one sets nothing and would be the image itself."""
    places: dict[str, int] = {}
    for place, shot in enumerate(shots):
        if shot.name in places:
            raise ValueError(f"shots.{places[shot.name]} and shots.{place} conflict: both have the name {shot.name}")
        places[shot.name] = place
        if shot == ShotOptions(name=shot.name):
            raise ValueError(
                f"shots.{place}: {shot.name} would be the image itself; give it a viewport, device, selector, clip, "
                "fullPage or format of its own"
            )
