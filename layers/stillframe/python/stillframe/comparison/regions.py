"""The regions that changed: pixels that lie together, with the box around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .pixels import Box, Mask

# Pixels in the same square of this side, or in squares that touch, are one region: the letters of a word, not each one.
CELL = 4

Cells = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Found:
    """The boxes of regions and how many changed pixels each has, the largest first."""

    boxes: list[Box]
    sizes: list[int]


def find_regions(changed: Mask, min_pixels: int) -> Found:
    """The regions of a mask. Those of fewer than `min_pixels` pixels are taken out of it."""
    height, width = changed.shape
    counts = _counts(changed)
    labels, number = _labelled(counts > 0)
    if not number:
        return Found([], [])
    rows, columns = np.nonzero(labels)
    cells = labels[rows, columns] - 1
    sizes = np.bincount(cells, counts[rows, columns], number).astype(np.intp)
    keeps = sizes >= min_pixels
    if not keeps.all():
        dropped = ~keeps[cells]
        kept = np.ones(labels.shape, np.bool_)
        kept[rows[dropped], columns[dropped]] = False
        changed &= np.repeat(np.repeat(kept, CELL, axis=0), CELL, axis=1)[:height, :width]
    left, top, right, bottom = _extents(changed, rows, columns)
    edges = np.full((number, 4), (width, height, 0, 0), np.intp)
    np.minimum.at(edges[:, 0], cells, left)
    np.minimum.at(edges[:, 1], cells, top)
    np.maximum.at(edges[:, 2], cells, right)
    np.maximum.at(edges[:, 3], cells, bottom)
    order = [int(each) for each in np.argsort(-sizes, kind="stable") if keeps[each]]
    boxes: list[Box] = [(int(e[0]), int(e[1]), int(e[2]), int(e[3])) for e in edges[order]]
    return Found(boxes, [int(sizes[each]) for each in order])


def _padded(changed: Mask) -> NDArray[np.bool_]:
    height, width = changed.shape
    return np.pad(changed, ((0, -height % CELL), (0, -width % CELL)))


def _counts(changed: Mask) -> Cells:
    """How many pixels of each cell changed."""
    padded = _padded(changed)
    shape = padded.shape[0] // CELL, CELL, padded.shape[1] // CELL, CELL
    counts: Cells = padded.reshape(shape).sum(axis=(1, 3), dtype=np.intp)
    return counts


def _extents(changed: Mask, rows: Cells, columns: Cells) -> tuple[Cells, Cells, Cells, Cells]:
    """The box of what changed in each of these cells."""
    padded = _padded(changed)
    shape = padded.shape[0] // CELL, CELL, padded.shape[1] // CELL, CELL
    cells = padded.reshape(shape).transpose(0, 2, 1, 3)[rows, columns]
    across: NDArray[np.bool_] = np.any(cells, axis=1)
    down: NDArray[np.bool_] = np.any(cells, axis=2)
    x, y = columns * CELL, rows * CELL
    left, top = x + across.argmax(axis=1), y + down.argmax(axis=1)
    right, bottom = x + CELL - across[:, ::-1].argmax(axis=1), y + CELL - down[:, ::-1].argmax(axis=1)
    return left, top, right, bottom


def _labelled(cells: Mask) -> tuple[Cells, int]:
    """Numbers from 1 for the groups of cells that touch, also at a corner, and how many groups there are.

    Runs of cells are joined with those of the line above, by union and find.
    """
    parents: list[int] = []

    def root(run: int) -> int:
        while parents[run] != run:
            parents[run] = parents[parents[run]]
            run = parents[run]
        return run

    labels = np.zeros(cells.shape, np.intp)
    above: list[tuple[int, int, int]] = []
    runs: list[tuple[int, int, int, int]] = []
    steps = np.diff(np.pad(cells, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    for row in range(len(cells)):
        starts, ends = np.flatnonzero(steps[row] == 1).tolist(), np.flatnonzero(steps[row] == -1).tolist()
        own: list[tuple[int, int, int]] = []
        at = 0
        for start, end in zip(starts, ends, strict=True):
            run = len(parents)
            parents.append(run)
            while at < len(above) and above[at][1] < start:
                at += 1
            touching = at
            while touching < len(above) and above[touching][0] <= end:
                parents[root(above[touching][2])] = root(run)
                touching += 1
            own.append((start, end, run))
            runs.append((row, start, end, run))
        above = own
    numbers: dict[int, int] = {}
    for row, start, end, run in runs:
        labels[row, start:end] = numbers.setdefault(root(run), len(numbers) + 1)
    return labels, len(numbers)
