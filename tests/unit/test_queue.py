"""Backoff: it grows, it is capped, and two workers do not retry at the same moment."""

from __future__ import annotations

import pytest

from stillframe.queue import Backoff
from stillframe.request.message import string_attributes


@pytest.mark.parametrize(
    ("receive_count", "low", "high"),
    [(1, 2, 5), (2, 5, 10), (3, 10, 20), (6, 80, 160), (7, 150, 300), (1000, 150, 300)],
)
def test_the_backoff_doubles_up_to_its_cap(receive_count: int, low: int, high: int) -> None:
    # Given the two ends of the jitter
    shortest = Backoff(5, 300, uniform=lambda a, b: a).seconds(receive_count)
    longest = Backoff(5, 300, uniform=lambda a, b: b).seconds(receive_count)
    # Then the delay lies between half of the doubled value and all of it
    assert (shortest, longest) == (low, high)


def test_a_backoff_is_at_least_one_second() -> None:
    assert Backoff(0, 0).seconds(1) == 1


def test_two_workers_do_not_retry_at_the_same_moment() -> None:
    backoff = Backoff(100, 1000)
    assert len({backoff.seconds(4) for _ in range(50)}) > 10


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("plain", "plain"),
        ("é世📸", "é世📸"),
        ("a\x00b\x1fc", "a?b?c"),
        ("\ufffe\ud800", "??"),
        ("", "?"),
        ("a\tb\n", "a\tb\n"),
    ],
)
def test_an_attribute_holds_only_characters_that_sqs_accepts(text: str, sent: str) -> None:
    assert string_attributes({"reason": text}) == {"reason": {"DataType": "String", "StringValue": sent}}
