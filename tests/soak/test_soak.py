"""A short soak for every change; `make soak` runs a long one."""

from __future__ import annotations

from .run import soak


def test_a_mix_of_hostile_and_good_pages_leaves_nothing_behind(chromium: str) -> None:
    # Given / When a worker captures 24 pages, a third of them hostile
    figures = soak(captures=24, seed=5, executable=chromium)
    # Then every good page is right, every hostile page ends in time, and nothing is left behind
    assert (figures.captures, figures.wrong, figures.late) == (24, 0, 0)
    assert figures.hostile >= 4
    assert (figures.zombies, figures.processes_left, figures.files_left) == (0, 0, 0)
