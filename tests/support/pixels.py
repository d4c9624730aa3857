"""The pixels of an image: which color is where."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

GREEN = (0, 170, 0)
RED = (255, 0, 0)
BLUE = (0, 0, 255)
WHITE = (255, 255, 255)


class Pixels:
    """A decoded image."""

    def __init__(self, data: bytes) -> None:
        self.encoding = Image.open(io.BytesIO(data)).format
        self._image = Image.open(io.BytesIO(data)).convert("RGB")
        self.size = self._image.size

    def at(self, x: int, y: int) -> tuple[int, ...]:
        """The color of a pixel; negative numbers count from the right and the bottom."""
        width, height = self.size
        pixel = self._image.getpixel((x % width, y % height))
        assert isinstance(pixel, tuple)
        return pixel

    def count(self, color: tuple[int, int, int]) -> int:
        """How many pixels have exactly this color."""
        colors = self._image.getcolors(maxcolors=2**24) or []
        return sum(number for number, each in colors if each == color)

    def is_all(self, color: tuple[int, ...], tolerance: int = 0) -> bool:
        """Whether every pixel has the color, within the tolerance of a lossy encoding."""
        extrema: Any = self._image.getextrema()
        return all(
            low >= want - tolerance and high <= want + tolerance
            for (low, high), want in zip(extrema, color, strict=True)
        )


def near(colour: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(abs(one - two) < 16 for one, two in zip(colour, other, strict=True))
