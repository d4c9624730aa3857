"""How a screenshot is compared with another one: what is left out, and what is too small to count."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .content import MAX_LIST_ITEMS, Selectors
from .wire import Flag, WireModel

MAX_COORDINATE = 1_000_000
# Greys that differ by 16 of 255 are just equal, as encoders change them.
DEFAULT_COLOR_DISTANCE = 0.062

Coordinate = Annotated[int, Field(ge=0, le=MAX_COORDINATE, strict=True)]
Length = Annotated[int, Field(ge=1, le=MAX_COORDINATE, strict=True)]
Share = Annotated[float, Field(ge=0, le=1)]


class IgnoredBox(WireModel):
    """A part of both images that is not compared, in pixels of the image from its upper left corner."""

    x: Coordinate
    y: Coordinate
    width: Length
    height: Length


class ComparisonRules(WireModel):
    """What counts as a change.

    `color_distance` is the distance of two colours in YIQ (see `stillframe.comparison.color_distance`), from 0 to 1, up
    to which they are equal. `max_share` is the share of pixels, `min_pixels` the size of a region, up to or below which
    a change is none. With `shifts`, what merely moved up or down is told from what changed.
    """

    # Elements that are not compared, though they are in the image: what must not be seen either is masked.
    ignore: Selectors = ()
    ignore_boxes: Annotated[tuple[IgnoredBox, ...], Field(max_length=MAX_LIST_ITEMS)] = ()
    color_distance: Share = DEFAULT_COLOR_DISTANCE
    max_share: Share = 0.0
    min_pixels: Annotated[int, Field(ge=1, le=1_000_000, strict=True)] = 1
    # Whether pixels count that differ by anti-aliasing only.
    anti_aliasing: Flag = False
    shifts: Flag = True
