"""Where a full page is cut into tiles: at the edges of blocks, and always further."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from stillframe_renderer.page.cutting import MARGIN, cut

VIEW = 800.0

heights = st.lists(st.integers(1, 3 * int(VIEW)), min_size=1, max_size=20)


def edges(heights: list[int]) -> list[tuple[float, float]]:
    """Blocks one below the other."""
    tops = [float(sum(heights[:count])) for count in range(len(heights) + 1)]
    return list(pairwise(tops))


def windows(blocks: list[tuple[float, float]]) -> list[tuple[float, float, float]]:
    """The tiles of a page, each with the top of its window, and where it begins and ends."""
    # Blocks are known if they are neither small nor taller than the window.
    known = [each for each in blocks if MARGIN * VIEW < each[1] - each[0] <= VIEW]
    end, top, taken = blocks[-1][1], 0.0, 0.0
    tiles = []
    while top + VIEW < end:
        until, following = cut(known, taken, top, VIEW)
        tiles.append((top, taken, until))
        top, taken = following, until
    return [*tiles, (end - VIEW, taken, end)]


@given(heights)
def test_tiles_follow_each_other_and_each_shows_what_is_taken_of_it(heights: list[int]) -> None:
    # Given a page of blocks of any height, more than the window's in all
    tiles = windows([*edges(heights), (float(sum(heights)), sum(heights) + VIEW + 1)])
    # When it is cut, then every tile goes further, and lies within its window
    assert all(begin < until for _, begin, until in tiles)
    assert all(top - 1 <= begin and until <= top + VIEW + 1 for top, begin, until in tiles)
    # And there are no more tiles than for a page without blocks, apart from one for each of them
    assert len(tiles) <= 2 * tiles[-1][2] / VIEW + len(heights) + 1


@given(heights)
def test_no_block_is_taken_from_a_window_that_does_not_show_all_of_it(heights: list[int]) -> None:
    # Given blocks, of which those that fit into the window count
    blocks = edges([*heights, int(VIEW)])
    # When the page is cut, then a part of a block is taken only where all of the block is in view
    for top, begin, until in windows(blocks):
        parts = [each for each in blocks if each[0] < until - 1 and each[1] > begin + 1 and each[1] - each[0] <= VIEW]
        assert [each for each in parts if each[0] < top - 1 or each[1] > top + VIEW + 1] == []
