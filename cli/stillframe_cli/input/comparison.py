"""How images are compared, on the command line."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from .finite import FiniteRange

F = TypeVar("F", bound=Callable[..., Any])
BOX = re.compile(r"(\d+),(\d+),(\d+),(\d+)")


class BoxType(click.ParamType[dict[str, int]]):
    """A box as X,Y,WIDTH,HEIGHT in pixels of the image."""

    name = "box"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, int]:
        """The box by the names that a request has for its parts."""
        found = BOX.fullmatch(str(value).replace(" ", ""))
        if found is None or 0 in (int(found[3]), int(found[4])):
            self.fail(f"{value!r} is not a box like 10,20,300,40: left, top, width and height in pixels.", param, ctx)
        return dict(zip(("x", "y", "width", "height"), map(int, found.groups()), strict=True))


FLAGS = (
    click.option(
        "--ignore-box",
        "ignore_boxes",
        type=BoxType(),
        multiple=True,
        metavar="X,Y,W,H",
        help="Leave out this part of the images, in pixels. Repeatable.",
    ),
    click.option(
        "--color-distance",
        type=FiniteRange(0, 1),
        metavar="D",
        help="Colours up to this distance are equal, 0 to 1.  [default: 0.062]",
    ),
    click.option(
        "--min-pixels", type=click.IntRange(1, 1_000_000), metavar="N", help="Leave out regions of fewer pixels."
    ),
    click.option("--anti-aliasing", is_flag=True, help="Count pixels that differ by anti-aliasing only."),
    click.option("--no-shifts", is_flag=True, help="Count what only moved up or down as changed."),
)


def comparison_options(command: F) -> F:
    """Add the flags of a comparison. The command gets them as `comparison`, the option of a request."""

    @functools.wraps(command)
    def wrapper(
        *args: Any,
        ignore_boxes: tuple[dict[str, int], ...],
        color_distance: float | None,
        min_pixels: int | None,
        anti_aliasing: bool,
        no_shifts: bool,
        **kwargs: Any,
    ) -> Any:
        flags = {
            "ignoreBoxes": list(ignore_boxes) or None,
            "colorDistance": color_distance,
            "minPixels": min_pixels,
            "antiAliasing": anti_aliasing or None,
            "shifts": False if no_shifts else None,
        }
        comparison = {name: value for name, value in flags.items() if value is not None}
        return command(*args, comparison=comparison, **kwargs)

    for flag in reversed(FLAGS):
        wrapper = flag(wrapper)
    return wrapper  # type: ignore[return-value]
