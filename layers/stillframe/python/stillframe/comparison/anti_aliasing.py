"""Telling anti-aliasing from change.

V. Vyšniauskas, "Anti-aliased Pixel and Intensity Slope Detector", 2009, as pixelmatch has applied it: a pixel that lies
on a slope of brightness, between a darker and a brighter neighbour of which one belongs to an area of one colour in
both images.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .color_distance import luma
from .pixels import Mask, Pixels, channels

# Column by column, as pixelmatch walks: of equal extremes, the first one counts.
NEIGHBOURS = [(dy, dx) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if (dy, dx) != (0, 0)]
# A pixel with more equal neighbours is part of an area or of a straight edge.
MAX_EQUAL = 2
# A neighbour's neighbours are this far away.
REACH = 2
# No pixel has this value: all of them are opaque.
OUTSIDE = 0

Positions = NDArray[np.intp]


def is_anti_aliased(first: Pixels, second: Pixels, ys: Positions, xs: Positions) -> Mask:
    """Whether each of these pixels is anti-aliasing in one of two images of the same size.

    Takes 40 bytes of memory for each pixel of the box around them.
    """
    if not len(ys):
        return np.zeros(0, np.bool_)
    # The edges of this part are those of the image, or too far away to matter.
    top, left = max(int(ys.min()) - REACH, 0), max(int(xs.min()) - REACH, 0)
    part = slice(top, int(ys.max()) + REACH + 1), slice(left, int(xs.max()) + REACH + 1)
    one, other = _Slopes(first[part]), _Slopes(second[part])
    places = one.places(ys - top, xs - left)
    found = one.contain(places, other)
    rest = np.flatnonzero(~found)
    found[rest] = other.contain(places[rest], one)
    return found


class _Slopes:
    """Brightness and areas of a part of an image, with a margin of one pixel, as flat arrays."""

    def __init__(self, image: Pixels) -> None:
        height, self._width = image.shape[0], image.shape[1] + 2
        padded = np.pad(image, 1, constant_values=OUTSIDE)
        brightness = np.pad(luma(*channels(image)), 1, constant_values=np.nan)
        self._brightness = brightness.ravel()
        edge = np.zeros(padded.shape, np.int8)
        edge[1:-1, (1, -2)] = edge[(1, -2), 1:-1] = 1
        equal = edge.copy()
        for dy, dx in NEIGHBOURS:
            near = padded[1 + dy : 1 + dy + height, 1 + dx : self._width - 1 + dx]
            equal[1:-1, 1:-1] += near == image
        self.is_area = (equal > MAX_EQUAL).ravel()
        self._edge = edge.ravel()
        self._steps = np.array([dy * self._width + dx for dy, dx in NEIGHBOURS], np.intp)

    def places(self, ys: Positions, xs: Positions) -> Positions:
        """Where pixels are in the flat arrays."""
        places: Positions = (ys + 1) * self._width + xs + 1
        return places

    def contain(self, places: Positions, other: _Slopes) -> Mask:
        """Whether each of these pixels lies on a slope."""
        centre = self._brightness[places]
        equal = self._edge[places]
        lowest, highest = np.zeros_like(centre), np.zeros_like(centre)
        at_lowest, at_highest = places.copy(), places.copy()
        # Nothing is lower, higher or equal to what lies outside, which is not a number.
        for step in self._steps:
            near = places + step
            delta = centre - self._brightness[near]
            equal += delta == 0
            is_lower, is_higher = delta < lowest, delta > highest
            np.copyto(lowest, delta, where=is_lower)
            np.copyto(highest, delta, where=is_higher)
            np.copyto(at_lowest, near, where=is_lower)
            np.copyto(at_highest, near, where=is_higher)
        in_both = self.is_area & other.is_area
        found: Mask = (equal <= MAX_EQUAL) & (lowest < 0) & (highest > 0)
        found &= in_both[at_lowest] | in_both[at_highest]
        return found
