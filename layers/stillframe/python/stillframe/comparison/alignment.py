"""Which lines of two images belong together, when something was inserted, removed, or grew.

Patience diff (B. Cohen, 2006) over lines of pixels: lines that are unique in both images are matched in the longest
order that they have in common, and matches grow from them. Only equal lines match, so an encoder with losses hides a
shift, and everything below it then counts as changed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .pixels import Pixels

# Fewer lines than these are equal by chance, such as a border.
MIN_LINES = 8
# How many times each line is looked at, at most: a page may be made so that every match leaves almost all for the next.
MAX_LOOKS = 50

# The sources of lines that the first image does not have: added, or blank ones that came into view at the end.
ADDED, INTO_VIEW = -1, -2

Rows = NDArray[np.intp]
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Match:
    """`lines` equal lines that begin at line `before` of the first image and at line `after` of the second."""

    before: int
    after: int
    lines: int

    @property
    def shift(self) -> int:
        """How far the lines moved down, in pixels; negative if they moved up."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Move:
    """Lines of the second image, from `top` up to `bottom`, that were `by` pixels higher in the first."""

    top: int
    bottom: int
    by: int


@dataclass(frozen=True, slots=True)
class Alignment:
    """`sources` is the line of the first image for each of the second, or else ADDED or INTO_VIEW.

    `removed` are the lines that only the first image has, each with the line of the second where they were.
    """

    sources: Rows
    removed: tuple[tuple[Range, int], ...]
    moves: tuple[Move, ...]


def align(before: Pixels, after: Pixels) -> Alignment:
    """Align two images of the same width."""
    first, second = _digests(before), _digests(after)
    matches = [match for match in _matches(first, second) if match.lines >= MIN_LINES or match.shift == 0]
    sources = np.full(len(second), ADDED, np.intp)
    removed: list[tuple[Range, int]] = []
    at_before = at_after = 0
    for match in [*matches, Match(len(first), len(second), 0)]:
        paired = _pair(before[at_before : match.before], after[at_after : match.after])
        sources[at_after + paired.after : at_after + paired.after + paired.lines] = range(
            at_before + paired.before, at_before + paired.before + paired.lines
        )
        for start, stop in ((0, paired.before), (paired.before + paired.lines, match.before - at_before)):
            if start < stop:
                removed.append(((at_before + start, at_before + stop), at_after + start))
        at_before, at_after = match.before + match.lines, match.after + match.lines
        sources[match.after : at_after] = range(match.before, at_before)
    if len(first) == len(second):
        removed = _without_blank_end(removed, sources, before, after)
    return Alignment(sources, tuple(removed), tuple(_moves(matches, after)))


def _pair(before: Pixels, after: Pixels) -> Match:
    """The lines between two matches that are compared: from the top, or from the bottom if that is nearer."""
    lines = min(len(before), len(after))
    top, bottom = Match(0, 0, lines), Match(len(before) - lines, len(after) - lines, lines)
    if not lines or len(before) == len(after):
        return top
    from_top = np.count_nonzero(before[:lines] != after[:lines])
    from_bottom = np.count_nonzero(before[bottom.before :] != after[bottom.after :])
    return bottom if from_bottom < from_top else top


def _without_blank_end(
    removed: list[tuple[Range, int]], sources: Rows, before: Pixels, after: Pixels
) -> list[tuple[Range, int]]:
    """Of two images of one height, blank lines at the end only moved out of view, or into it."""
    if before[-1, 0] != after[-1, 0]:
        return removed
    end = _blank_end(after)
    sources[end:][sources[end:] == ADDED] = INTO_VIEW
    end = _blank_end(before)
    cut = [((start, min(stop, end)), place) for (start, stop), place in removed]
    return [each for each in cut if each[0][0] < each[0][1]]


def _blank_end(pixels: Pixels) -> int:
    """The line from which all are of the colour of the last one."""
    shown = np.flatnonzero((pixels != pixels[-1, 0]).any(axis=1))
    return int(shown[-1]) + 1 if len(shown) else 0


def _digests(pixels: Pixels) -> list[int]:
    return [hash(row.tobytes()) for row in pixels]


def _matches(first: Sequence[int], second: Sequence[int]) -> list[Match]:
    """The matches of two lists, in order and joined where they meet."""
    found: list[Match] = []
    waiting = [(0, len(first), 0, len(second))]
    left_to_look = MAX_LOOKS * (len(first) + len(second))
    while waiting and left_to_look > 0:
        start, end, other, other_end = waiting.pop()
        left_to_look -= end - start + other_end - other
        head = _common(first, second, range(start, end), range(other, other_end))
        if head:
            found.append(Match(start, other, head))
        start, other = start + head, other + head
        tail = _common(first, second, range(end - 1, start - 1, -1), range(other_end - 1, other - 1, -1))
        end, other_end = end - tail, other_end - tail
        if tail:
            found.append(Match(end, other_end, tail))
        anchors = _anchors(first[start:end], second[other:other_end])
        if not anchors:
            continue
        bounds = [(start + each, other + with_it) for each, with_it in anchors]
        for (left, right), (left_end, right_end) in zip(
            [(start, other), *bounds], [*bounds, (end, other_end)], strict=True
        ):
            waiting.append((left, left_end, right, right_end))
    return list(_joined(sorted(found, key=lambda match: match.after)))


def _common(first: Sequence[int], second: Sequence[int], own: range, other: range) -> int:
    count = 0
    for one, two in zip(own, other, strict=False):
        if first[one] != second[two]:
            break
        count += 1
    return count


def _anchors(first: Sequence[int], second: Sequence[int]) -> list[tuple[int, int]]:
    """The lines that are unique in both lists, as far as they are in the same order in both."""
    counts, others = Counter(first), Counter(second)
    places = {value: place for place, value in enumerate(second) if others[value] == 1}
    pairs = [(place, places[value]) for place, value in enumerate(first) if counts[value] == 1 and value in places]
    # The longest increasing subsequence, by patience sorting.
    tops: list[int] = []
    piles: list[int] = []
    previous: list[int] = []
    for number, (_, place) in enumerate(pairs):
        pile = bisect_left(tops, place)
        previous.append(piles[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(place)
            piles.append(number)
        else:
            tops[pile], piles[pile] = place, number
    chain: list[tuple[int, int]] = []
    at = piles[-1] if piles else -1
    while at >= 0:
        chain.append(pairs[at])
        at = previous[at]
    return chain[::-1]


def _joined(matches: Sequence[Match]) -> Iterator[Match]:
    last: Match | None = None
    for match in matches:
        if last is not None and last.shift == match.shift and last.after + last.lines == match.after:
            last = Match(last.before, last.after, last.lines + match.lines)
            continue
        if last is not None:
            yield last
        last = match
    if last is not None:
        yield last


def _moves(matches: Sequence[Match], after: Pixels) -> Iterator[Move]:
    """What moved and can be seen, which lines of one colour cannot."""
    last: Move | None = None
    for match in matches:
        own = after[match.after : match.after + match.lines]
        lines = np.flatnonzero((own != own[:, :1]).any(axis=1))
        if not len(lines):
            continue
        top, bottom = match.after + int(lines[0]), match.after + int(lines[-1]) + 1
        if last is not None and last.by == match.shift:
            last = Move(last.top, bottom, last.by)
            continue
        if last is not None and last.by:
            yield last
        last = Move(top, bottom, match.shift)
    if last is not None and last.by:
        yield last
