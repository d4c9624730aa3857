"""What counts as a change: colours that are close, anti-aliasing, small regions, and what is ignored."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from stillframe.comparison.anti_aliasing import is_anti_aliased
from stillframe.comparison.difference import Difference, Region, RegionKind, compare
from stillframe.comparison.pixels import Box, Pixels
from stillframe.comparison.regions import CELL, find_regions
from stillframe.request.options.comparison import ComparisonRules
from tests.support.drawings import encoded

SIZE = (60, 40)


def compared(before: Image.Image, after: Image.Image, **rules: Any) -> Difference:
    return compare(encoded(before), encoded(after), rules=ComparisonRules.model_validate(rules))


def plain(color: str = "white") -> Image.Image:
    return Image.new("RGB", SIZE, color)


def with_box(box: Box, color: str = "#0000ff") -> Image.Image:
    image = plain()
    ImageDraw.Draw(image).rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill=color)
    return image


def circle(offset: float) -> Image.Image:
    """A black disc with soft edges, its centre moved by a part of a pixel."""
    large = Image.new("L", (SIZE[0] * 8, SIZE[1] * 8), 255)
    ImageDraw.Draw(large).ellipse((160 + offset * 8, 80, 400 + offset * 8, 300), fill=0)
    return large.resize(SIZE, Image.Resampling.BOX).convert("RGB")


@pytest.mark.parametrize(
    ("first", "second", "distance", "is_changed"),
    [
        ("#ffffff", "#efefef", 0.062, False),
        ("#ffffff", "#eeeeee", 0.062, True),
        ("#ffffff", "#eeeeee", 0.1, False),
        ("#ff0000", "#00ff00", 0.5, True),
        ("#000000", "#ffffff", 0.96, True),
        ("#000000", "#ffffff", 0.97, False),
        ("#0000ff", "#0000ee", 0.0, True),
    ],
)
def test_colours_are_equal_up_to_a_distance(first: str, second: str, distance: float, is_changed: bool) -> None:
    assert compared(plain(first), plain(second), colorDistance=distance).is_empty is not is_changed


def test_what_is_transparent_lies_on_white() -> None:
    clear = Image.new("RGBA", SIZE, (0, 0, 0, 0))
    assert compared(clear, plain()).is_empty
    assert compared(clear, plain("black")).pixels == 1


def test_anti_aliasing_is_no_change_unless_it_is_to_count() -> None:
    # Given a disc whose edge is anti-aliased in another way
    first, second = circle(0), circle(0.4)
    # When they are compared, then it is no change
    assert compared(first, second).is_empty
    # But it is one if anti-aliasing counts, and so is a disc that is elsewhere
    assert not compared(first, second, antiAliasing=True).is_empty
    assert not compared(first, circle(4)).is_empty


def test_regions_have_boxes_and_the_largest_is_first() -> None:
    # Given / When two boxes appear
    after = with_box((2, 2, 6, 6))
    ImageDraw.Draw(after).rectangle((30, 20, 49, 29), fill="red")
    found = compared(plain(), after)
    # Then each is a region
    assert found.regions == (
        Region(RegionKind.CHANGED, (30, 20, 50, 30), 200),
        Region(RegionKind.CHANGED, (2, 2, 6, 6), 16),
    )
    assert (found.box, found.pixels) == ((2, 2, 50, 30), 216 / 2400)


def test_a_region_that_is_too_small_does_not_count() -> None:
    after = with_box((2, 2, 6, 6))
    ImageDraw.Draw(after).rectangle((30, 20, 49, 29), fill="red")
    found = compared(plain(), after, minPixels=17)
    assert ([region.pixels for region in found.regions], found.box) == ([200], (30, 20, 50, 30))
    assert compared(plain(), after, minPixels=201).is_empty


def test_a_share_is_allowed() -> None:
    found = [compared(plain(), with_box((0, 0, 24, 10)), maxShare=share) for share in (0.09, 0.1)]
    assert [(each.is_over_share, each.pixels) for each in found] == [(True, 0.1), (False, 0.1)]


def test_a_box_is_ignored() -> None:
    box = {"x": 10, "y": 5, "width": 10, "height": 10}
    assert compared(plain(), with_box((10, 5, 20, 15)), ignoreBoxes=[box]).is_empty
    assert compared(plain(), with_box((10, 5, 21, 15)), ignoreBoxes=[box]).box == (20, 5, 21, 15)


@pytest.mark.parametrize("far", [{"x": 50, "width": 1000}, {"x": 1000, "width": 5}])
def test_a_box_that_is_outside_ignores_nothing_else(far: dict[str, int]) -> None:
    found = compared(plain(), with_box((0, 0, 10, 10)), ignoreBoxes=[{"y": 0, "height": 1000, **far}])
    assert found.pixels == 100 / 2400


masks = st.integers(1, 30).flatmap(
    lambda width: st.lists(st.lists(st.booleans(), min_size=width, max_size=width), min_size=1, max_size=30)
)


@given(masks, st.integers(1, 6))
def test_regions_are_groups_of_cells_that_touch(rows: list[list[bool]], min_pixels: int) -> None:
    # Given any mask, and its groups as they are found by walking from cell to cell
    changed = np.array(rows, np.bool_)
    cells: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for y, x in np.argwhere(changed).tolist():
        cells.setdefault((y // CELL, x // CELL), []).append((x, y))
    expected = []
    while cells:
        waiting, points = [next(iter(cells))], []
        while waiting:
            row, column = waiting.pop()
            points += cells.pop((row, column), [])
            near = [(row + dy, column + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
            waiting += [each for each in near if each in cells]
        xs, ys = zip(*points, strict=True)
        expected.append(((min(xs), min(ys), max(xs) + 1, max(ys) + 1), len(points)))
    # When its regions are found
    found = find_regions(changed, min_pixels)
    # Then they are those that are large enough, and no other pixel is left
    kept = [each for each in expected if each[1] >= min_pixels]
    assert sorted(zip(found.boxes, found.sizes, strict=True)) == sorted(kept)
    assert np.count_nonzero(changed) == sum(size for _, size in kept)


def reference(image: Pixels, other: Pixels, x1: int, y1: int) -> bool:
    """The rule for one pixel, step by step."""
    height, width = image.shape

    def around(x: int, y: int) -> list[tuple[int, int]]:
        return [
            (column, row)
            for column in range(max(x - 1, 0), min(x + 1, width - 1) + 1)
            for row in range(max(y - 1, 0), min(y + 1, height - 1) + 1)
            if (column, row) != (x, y)
        ]

    def brightness(x: int, y: int) -> int:
        return int(image[y, x]) & 255

    def in_area(pixels: Pixels, x: int, y: int) -> bool:
        near = around(x, y)
        return (len(near) < 8) + sum(bool(pixels[row, column] == pixels[y, x]) for column, row in near) > 2

    near = around(x1, y1)
    deltas = [brightness(x1, y1) - brightness(*each) for each in near]
    if (len(near) < 8) + deltas.count(0) > 2 or min(deltas) >= 0 or max(deltas) <= 0:
        return False
    extremes = near[deltas.index(min(deltas))], near[deltas.index(max(deltas))]
    return any(in_area(image, *each) and in_area(other, *each) for each in extremes)


greys = st.lists(st.lists(st.sampled_from([0, 90, 180, 255]), min_size=5, max_size=5), min_size=5, max_size=5)


@settings(max_examples=60)
@given(greys, greys)
def test_anti_aliasing_is_found_as_the_paper_describes_it(one: list[list[int]], two: list[list[int]]) -> None:
    first, second = (np.array(each, np.uint32) * 0x010101 + 0xFF000000 for each in (one, two))
    ys, xs = (each.ravel() for each in np.mgrid[0:5, 0:5])
    found = is_anti_aliased(first.astype(np.uint32), second.astype(np.uint32), ys, xs)
    expected = [
        reference(first, second, int(x), int(y)) or reference(second, first, int(x), int(y))
        for y, x in zip(ys, xs, strict=True)
    ]
    assert found.tolist() == expected
