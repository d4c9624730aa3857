"""Emulation: what the page sees of the browser, its user and the screen."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from .wire import Flag, WireModel

DEFAULT_SCALE = 1.0
# Device pixels for each CSS pixel.
Scale = Annotated[float, Field(ge=0.5, le=4, strict=True)]


class ColorScheme(StrEnum):
    """prefers-color-scheme (Media Queries 5)."""

    LIGHT = "light"
    DARK = "dark"


class Media(StrEnum):
    """The CSS media type."""

    SCREEN = "screen"
    PRINT = "print"


class Viewport(WireModel):
    """The size of the window in CSS pixels."""

    width: Annotated[int, Field(ge=16, le=4096, strict=True)] = 1280
    height: Annotated[int, Field(ge=16, le=8192, strict=True)] = 800


class Geolocation(WireModel):
    """A place in degrees, with its accuracy in metres. Without this option, geolocation is denied to the page."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    accuracy: Annotated[float, Field(ge=0, le=100_000)] = 10.0


class EmulationOptions(WireModel):
    """The screen, and the user's preferences, place and user agent."""

    viewport: Viewport = Viewport()
    device_scale_factor: Scale = DEFAULT_SCALE
    mobile: Flag = False
    touch: Flag = False
    color_scheme: ColorScheme = ColorScheme.LIGHT
    reduced_motion: Flag = False
    media: Media = Media.SCREEN
    # The subset of BCP 47 that is in use.
    locale: (
        Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$", description="a BCP 47 tag like de-DE")]
        | None
    ) = None
    # A name of the IANA time zone database.
    timezone: (
        Annotated[
            str,
            Field(pattern=r"^[A-Za-z][A-Za-z0-9_+/-]{0,63}$", description="an IANA time zone like Europe/Berlin"),
        ]
        | None
    ) = None
    geolocation: Geolocation | None = None
    user_agent: (
        Annotated[
            str, Field(pattern=r"^[\x20-\x7e]{1,1024}$", description="text of 1 to 1024 printable ASCII characters")
        ]
        | None
    ) = None
    java_script_enabled: Flag = True

    @property
    def window(self) -> tuple[Viewport, float]:
        """The viewport, and how many device pixels each of its pixels has."""
        return self.viewport, self.device_scale_factor
