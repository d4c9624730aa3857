"""Choices in which every pair of values occurs, where all of them together would be too many."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping, Sequence

Choice = dict[str, str]
Pair = frozenset[tuple[str, str]]
# So many that every pair of values that fit each other is among them.
SAMPLES = 1500


def pairwise(
    factors: Mapping[str, Sequence[str]], is_valid: Callable[[Choice], bool], seed: int
) -> tuple[list[Choice], set[Pair]]:
    """Choose one value of each factor, several times, so that every valid pair occurs; returns the others as well.

    The choices are valid as a whole. Of random ones, the one with the most new pairs is taken each time.
    """
    draw = random.Random(seed)
    samples = [{name: draw.choice(values) for name, values in factors.items()} for _ in range(SAMPLES)]
    valid = [each for each in samples if is_valid(each)]
    every = {
        frozenset({(one, left), (other, right)})
        for one, other in itertools.combinations(factors, 2)
        for left in factors[one]
        for right in factors[other]
    }
    missing = {pair for each in valid for pair in pairs_in(each)}
    impossible = every - missing
    chosen: list[Choice] = []
    while missing:
        best = max(valid, key=lambda each: len(pairs_in(each) & missing))
        chosen.append(best)
        missing -= pairs_in(best)
    return chosen, impossible


def pairs_in(choice: Choice) -> set[Pair]:
    """The pairs of values in a choice."""
    return {frozenset(pair) for pair in itertools.combinations(choice.items(), 2)}
