"""What changed between two images: the share of pixels, the regions, what moved, and the perceived difference."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from stillframe.image.perceptual_hash import HASH_BITS, hash_bits
from stillframe.request.options.comparison import ComparisonRules

from .alignment import ADDED, INTO_VIEW, Alignment, Move, align
from .anti_aliasing import is_anti_aliased
from .color_distance import exceeds
from .marking import mark
from .pixels import Box, Mask, Pixels, cover, decoded, to_image, to_pixels
from .regions import find_regions

DEFAULT_RULES = ComparisonRules()
# Colours are compared in strips of this many lines, which bounds the extra memory.
STRIP_LINES = 512
# Something has moved if that leaves at most this share of the lines that changed if it did not.
MAX_LEFT_BY_MOVE = 0.8
# The share of the columns up to which the others stay where they are when lines move, such as a sidebar.
MAX_COLUMNS_SHARE = 0.9


class RegionKind(StrEnum):
    """What happened to a region."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Region:
    """Pixels that changed together. `box` is in the second image, or in the first one if the region was removed."""

    kind: RegionKind
    box: Box
    pixels: int


@dataclass(frozen=True)
class Difference:
    """What is different in the second of two images.

    `pixels` is the share of pixels that changed, `perceived` the share of perceptual-hash bits; both 0 to 1. `box`
    encloses every change: left, top, right, bottom in pixels. `regions` are the changes, the largest first, and `moved`
    what is in another place, from top to bottom.
    """

    pixels: float
    perceived: float
    box: Box | None
    regions: tuple[Region, ...]
    moved: tuple[Move, ...]
    is_over_share: bool
    _image: Pixels = field(repr=False)
    _mask: Mask = field(repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed, though something may have moved."""
        return self.box is None

    @functools.cached_property
    def marked(self) -> bytes:
        """A PNG of the second image, faded, with what changed below a red tint."""
        return mark(to_image(self._image), self._mask)


def compare(
    before: bytes,
    after: bytes,
    max_pixels: int | None = None,
    rules: ComparisonRules = DEFAULT_RULES,
    ignored_before: Sequence[Box] = (),
    ignored_after: Sequence[Box] = (),
) -> Difference:
    """Compare two encoded images. An area that only one of them has counts as changed.

    `ignored_before` and `ignored_after` are left out besides the boxes of the rules, each in the pixels of its image.
    The selectors of the rules are not looked at: an image has no elements.

    Takes 20 bytes of memory per pixel. Raises ValueError if one of them cannot be decoded, such as a PDF, or has more
    than `max_pixels` pixels.
    """
    first, second = decoded(before, max_pixels), decoded(after, max_pixels)
    always: list[Box] = [(box.x, box.y, box.x + box.width, box.y + box.height) for box in rules.ignore_boxes]
    perceived = (hash_bits(first) ^ hash_bits(second)).bit_count() / HASH_BITS
    pixels = to_pixels(first), to_pixels(second)
    # As pixels, they are in memory only once.
    del first, second
    return _Comparison(*pixels, perceived, rules, [*always, *ignored_before], [*always, *ignored_after]).run()


class _Comparison:
    """One comparison. The mask is as large as the larger image in both directions."""

    def __init__(
        self,
        first: Pixels,
        second: Pixels,
        perceived: float,
        rules: ComparisonRules,
        ignored_first: list[Box],
        ignored_second: list[Box],
    ) -> None:
        self._perceived = perceived
        self._rules = rules
        self._first, self._second = first, second
        (height, width), (other_height, other_width) = first.shape, second.shape
        self._size = max(height, other_height), max(width, other_width)
        self._shared = min(height, other_height), min(width, other_width)
        self._ignored_first, self._ignored_second = ignored_first, ignored_second

    def run(self) -> Difference:
        if self._first.shape == self._second.shape and np.array_equal(self._first, self._second):
            return self._difference(np.zeros(self._size, np.bool_), None, (0, 0))
        columns = self._moving_columns()
        alignment = self._alignment(columns) if self._rules.shifts and columns[1] > columns[0] else None
        if alignment is None:
            changed = self._changed(self._first)
            changed[self._shared[0] :] = True
        else:
            aligned = self._aligned(alignment, columns)
            changed = self._changed(aligned)
            changed[self._second.shape[0] :] = True
            if self._second.shape[0] > self._shared[0]:
                changed[self._shared[0] : self._second.shape[0], : columns[0]] = True
                changed[self._shared[0] : self._second.shape[0], columns[1] :] = True
            changed[np.flatnonzero(alignment.sources == ADDED), columns[0] : columns[1]] = True
            changed[np.flatnonzero(alignment.sources == INTO_VIEW), columns[0] : columns[1]] = False
            # The lines below the second image are those of the first, which the alignment has.
            changed[self._second.shape[0] :, columns[0] : columns[1]] = False
        changed[:, self._shared[1] :] = True
        cover_both = [*self._ignored_second, *([] if alignment else self._ignored_first)]
        ignored = np.zeros(self._size, np.bool_)
        cover(ignored, cover_both)
        if alignment is not None and self._ignored_first:
            self._cover_moved(ignored, alignment, columns)
        changed &= ~ignored
        return self._difference(changed, alignment, columns)

    def _moving_columns(self) -> tuple[int, int]:
        """From which to which column anything differs: all of them if most do."""
        height, width = self._shared
        differs = (self._first[:height, :width] != self._second[:height, :width]).any(axis=0)
        found = np.flatnonzero(differs)
        if not len(found) or found[-1] + 1 - found[0] > width * MAX_COLUMNS_SHARE:
            return 0, width
        return int(found[0]), int(found[-1]) + 1

    def _alignment(self, columns: tuple[int, int]) -> Alignment | None:
        """How the lines in these columns belong together, unless they are best compared where they are."""
        left, right = columns
        height = self._shared[0]
        first, second = self._first[:, left:right], self._second[:, left:right]
        # Lines are counted, because text has few pixels, and the block that moved it may have many.
        in_place = int(np.count_nonzero((first[:height] != second[:height]).any(axis=1))) + self._size[0] - height
        alignment = align(first, second)
        if not alignment.moves:
            return None
        sources = alignment.sources
        left_over = sum(end - start for (start, end), _ in alignment.removed)
        for top in range(0, len(sources), STRIP_LINES):
            rows = sources[top : top + STRIP_LINES]
            differs = (first[np.maximum(rows, 0)] != second[top : top + STRIP_LINES]).any(axis=1)
            left_over += int(np.count_nonzero((differs & (rows >= 0)) | (rows == ADDED)))
        return alignment if left_over <= in_place * MAX_LEFT_BY_MOVE else None

    def _aligned(self, alignment: Alignment, columns: tuple[int, int]) -> Pixels:
        """The first image with its lines where the second image has them."""
        height, width = self._second.shape[0], self._first.shape[1]
        aligned = np.zeros((height, width), np.uint32)
        aligned[: self._shared[0]] = self._first[: self._shared[0]]
        left, right = columns
        aligned[:, left:right] = self._first[np.maximum(alignment.sources, 0), left:right]
        return aligned

    def _changed(self, first: Pixels) -> Mask:
        """Where the colours of both images are too far apart, in the area that they share."""
        changed = np.zeros(self._size, np.bool_)
        height, width = min(len(first), len(self._second)), self._shared[1]
        one, other = first[:height, :width], self._second[:height, :width]
        for top in range(0, height, STRIP_LINES):
            strip = slice(top, top + STRIP_LINES)
            ys, xs = np.nonzero(one[strip] != other[strip])
            ys += top
            exceeded = exceeds(one[ys, xs], other[ys, xs], self._rules.color_distance)
            ys, xs = ys[exceeded], xs[exceeded]
            if not self._rules.anti_aliasing:
                counts = ~is_anti_aliased(one, other, ys, xs)
                ys, xs = ys[counts], xs[counts]
            changed[ys, xs] = True
        return changed

    def _cover_moved(self, ignored: Mask, alignment: Alignment, columns: tuple[int, int]) -> None:
        """Leave out what is ignored in the first image, where the second has it."""
        first = np.zeros((self._first.shape[0], self._size[1]), np.bool_)
        cover(first, self._ignored_first)
        height = self._second.shape[0]
        moved = first[np.maximum(alignment.sources, 0)] & (alignment.sources >= 0)[:, None]
        ignored[:height, columns[0] : columns[1]] |= moved[:, columns[0] : columns[1]]
        ignored[: self._shared[0], : columns[0]] |= first[: self._shared[0], : columns[0]]
        ignored[: self._shared[0], columns[1] :] |= first[: self._shared[0], columns[1] :]

    def _difference(self, changed: Mask, alignment: Alignment | None, columns: tuple[int, int]) -> Difference:
        found = find_regions(changed, self._rules.min_pixels)
        regions = [
            Region(self._kind(box, alignment), box, size) for box, size in zip(found.boxes, found.sizes, strict=True)
        ]
        box = _around(found.boxes)
        for region, seam in self._removed(alignment, columns):
            regions.append(region)
            box = _around([*([box] if box else []), (region.box[0], seam, region.box[2], seam + 1)])
            changed[seam, region.box[0] : region.box[2]] = True
        regions.sort(key=lambda region: -region.pixels)
        share = min(sum(region.pixels for region in regions) / (self._size[0] * self._size[1]), 1.0)
        return Difference(
            pixels=share,
            perceived=self._perceived,
            box=box,
            regions=tuple(regions),
            moved=alignment.moves if alignment is not None else (),
            is_over_share=share > self._rules.max_share,
            _image=self._second,
            _mask=changed,
        )

    def _kind(self, box: Box, alignment: Alignment | None) -> RegionKind:
        """Whether a region is only in one of the images."""
        _, top, _, bottom = box
        if alignment is not None:
            is_added = bool((alignment.sources[top:bottom] == ADDED).all())
            return RegionKind.ADDED if is_added else RegionKind.CHANGED
        height, width = self._shared
        if top >= height or box[0] >= width:
            in_second = top < self._second.shape[0] and box[0] < self._second.shape[1]
            return RegionKind.ADDED if in_second else RegionKind.REMOVED
        return RegionKind.CHANGED

    def _removed(self, alignment: Alignment | None, columns: tuple[int, int]) -> list[tuple[Region, int]]:
        """The regions that only the first image has, and the line of the second where each of them was."""
        removed = []
        ignored = np.zeros(self._first.shape, np.bool_)
        cover(ignored, self._ignored_first)
        for (top, bottom), place in alignment.removed if alignment is not None else ():
            count = int(np.count_nonzero(~ignored[top:bottom, columns[0] : columns[1]]))
            if count >= self._rules.min_pixels:
                region = Region(RegionKind.REMOVED, (columns[0], top, columns[1], bottom), count)
                removed.append((region, min(place, self._size[0] - 1)))
        return removed


def _around(boxes: Sequence[Box]) -> Box | None:
    """The smallest box that has all of these."""
    if not boxes:
        return None
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
