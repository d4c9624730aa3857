"""What moved is told from what changed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from stillframe.comparison.alignment import Move
from stillframe.comparison.difference import Difference, Region, RegionKind, compare
from stillframe.request.options.comparison import ComparisonRules
from tests.support.drawings import LINE_HEIGHT, encoded, paragraphs, text_lines, with_insertion

LINES = text_lines(30)
BLOCK = Image.new("RGB", (400, 50), "#ffcc00")


def compared(before: Image.Image, after: Image.Image, **rules: Any) -> Difference:
    return compare(encoded(before), encoded(after), rules=ComparisonRules.model_validate(rules))


def test_a_block_inserted_on_top_moves_what_is_below_it() -> None:
    # Given / When a banner of 50 pixels is inserted above everything
    page = paragraphs(LINES)
    found = compared(page, with_insertion(page, 0, BLOCK))
    # Then the banner is what changed, and the text has moved
    assert found.regions == (Region(RegionKind.ADDED, (0, 0, 400, 50), 400 * 50),)
    (move,) = found.moved
    assert (move.by, move.top < 60, move.bottom > page.height + 40) == (50, True, True)
    assert found.pixels == 50 / (page.height + 50)


def test_a_block_that_is_removed_moves_what_was_below_it() -> None:
    # Given / When a block in the middle is taken out
    page = paragraphs(LINES)
    at = 10 * LINE_HEIGHT
    found = compared(with_insertion(page, at, BLOCK), page)
    # Then it is a region of the first image, and a line of the second shows where it was
    assert found.regions == (Region(RegionKind.REMOVED, (0, at, 400, at + 50), 400 * 50),)
    assert [move.by for move in found.moved] == [-50]
    assert found.box == (0, at, 400, at + 1)


def test_a_change_below_a_moved_block_is_still_a_change() -> None:
    # Given a page with a banner, in which one line has another text as well
    page = paragraphs(LINES)
    changed = paragraphs([*LINES[:20], "20. something else", *LINES[21:]])
    # When it is compared with the page without either
    found = compared(page, with_insertion(changed, 0, BLOCK))
    # Then these are the only changes
    kinds = {region.kind for region in found.regions}
    below = [region for region in found.regions if region.kind is RegionKind.CHANGED]
    assert kinds == {RegionKind.ADDED, RegionKind.CHANGED}
    assert all(50 + 20 * LINE_HEIGHT <= each.box[1] < each.box[3] <= 50 + 21 * LINE_HEIGHT for each in below)
    assert {move.by for move in found.moved} == {50}


def test_a_sidebar_stays_while_the_text_moves() -> None:
    # Given a page with a sidebar beside its text
    def with_sidebar(text: Image.Image) -> Image.Image:
        page = Image.new("RGB", (700, 800), "white")
        page.paste(paragraphs(text_lines(33), 250), (0, 0))
        page.paste(text.crop((0, 0, 400, 800)), (300, 0))
        return page

    text = paragraphs(text_lines(33))
    # When a block is inserted into the text
    found = compared(with_sidebar(text), with_sidebar(with_insertion(text, 240, BLOCK)))
    # Then only the text has moved
    assert [move.by for move in found.moved] == [50]
    assert found.regions[0].box[0] >= 300
    assert found.pixels < 0.1


def test_what_does_not_move_is_compared_in_its_place() -> None:
    # Given / When one line changes
    found = compared(paragraphs(LINES), paragraphs([*LINES[:5], "other", *LINES[6:]]))
    # Then nothing moved
    assert found.moved == ()
    assert found.box is not None
    assert 5 * LINE_HEIGHT <= found.box[1] < found.box[3] <= 6 * LINE_HEIGHT


def test_shifts_can_be_changes() -> None:
    page = paragraphs(LINES)
    found = compared(page, with_insertion(page, 0, BLOCK), shifts=False)
    assert (found.moved, found.pixels > 0.1) == ((), True)


def test_an_ignored_block_that_appears_is_no_change() -> None:
    page = paragraphs(LINES)
    box = {"x": 0, "y": 0, "width": 400, "height": 50}
    found = compared(page, with_insertion(page, 0, BLOCK), ignoreBoxes=[box])
    assert (found.is_empty, found.pixels, [move.by for move in found.moved]) == (True, 0, [50])


def test_an_ignored_element_is_ignored_where_it_was_and_where_it_is() -> None:
    # Given a clock in the middle of a page, which moves down with the text and shows another time
    def page(time: str) -> Image.Image:
        drawn = paragraphs(LINES)
        ImageDraw.Draw(drawn).rectangle((100, 240, 220, 264), fill=time)
        return drawn

    before, after = page("#ff0000"), with_insertion(page("#00ff00"), 0, BLOCK)
    # When it is ignored in both images, each time where it is
    found = compare(encoded(before), encoded(after), ignored_before=[(100, 240, 221, 265)])
    # Then only the inserted block changed
    assert [region.kind for region in found.regions] == [RegionKind.ADDED]
    found = compare(encoded(before), encoded(after), ignored_after=[(100, 290, 221, 315)])
    assert [region.kind for region in found.regions] == [RegionKind.ADDED]


def test_an_ignored_block_that_is_gone_is_no_change() -> None:
    page = paragraphs(LINES)
    with_block = with_insertion(page, 240, BLOCK)
    found = compare(encoded(with_block), encoded(page), ignored_before=[(0, 240, 400, 290)])
    assert (found.is_empty, [move.by for move in found.moved]) == (True, [-50])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 30), st.integers(1, 90))
def test_an_insertion_of_any_height_anywhere_is_all_that_changes(line: int, height: int) -> None:
    page = paragraphs(LINES)
    found = compared(page, with_insertion(page, line * LINE_HEIGHT, Image.new("RGB", (400, height), "#ffcc00")))
    assert found.pixels == pytest.approx(height / (page.height + height))
    assert {move.by for move in found.moved} == ({height} if line < 30 else set())


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 12), max_size=25), st.lists(st.integers(0, 12), max_size=25))
def test_any_two_pages_have_a_share_between_none_and_all(one: list[int], two: list[int]) -> None:
    first, second = (paragraphs([LINES[each] for each in (0, *lines)]) for lines in (one, two))
    found = compared(first, second)
    assert 0 <= found.pixels <= 1
    assert found.is_empty == (one == two)
    assert all(isinstance(move, Move) and move.top < move.bottom <= second.height for move in found.moved)


def test_a_line_that_changes_below_a_block_that_comes_on_top_is_compared_with_itself() -> None:
    # Given a page whose first line changes, so that nothing is equal until the second
    changed = paragraphs(["0. another text", *LINES[1:]])
    # When a block comes on top of it as well
    found = compared(paragraphs(LINES), with_insertion(changed, 0, BLOCK))
    # Then the block is added, and the line has changed where it is now
    assert found.regions[0] == Region(RegionKind.ADDED, (0, 0, 400, 50), 400 * 50)
    assert all(50 <= region.box[1] < region.box[3] <= 50 + LINE_HEIGHT for region in found.regions[1:])


def in_window(page: Image.Image, height: int) -> Image.Image:
    """As much of a page as a window shows."""
    window = Image.new("RGB", (page.width, height), "white")
    window.paste(page, (0, 0))
    return window


@pytest.mark.parametrize("is_removed", [False, True])
def test_blank_lines_that_leave_the_window_or_come_into_it_are_no_change(is_removed: bool) -> None:
    # Given a window that is taller than its page
    page = paragraphs(LINES[:10])
    with_block = with_insertion(page, 0, BLOCK)
    images = [in_window(page, 400), in_window(with_block, 400)]
    # When a block comes on top of the page, or goes
    found = compared(*(reversed(images) if is_removed else images))
    # Then the block is all that changed
    kind = RegionKind.REMOVED if is_removed else RegionKind.ADDED
    assert found.regions == (Region(kind, (0, 0, 400, 50), 400 * 50),)
    assert [move.by for move in found.moved] == [-50 if is_removed else 50]


def test_text_that_leaves_the_window_is_removed() -> None:
    page = paragraphs(LINES)
    found = compared(in_window(page, 400), in_window(with_insertion(page, 0, BLOCK), 400))
    assert {region.kind for region in found.regions} == {RegionKind.ADDED, RegionKind.REMOVED}
