"""The time that a delivery spends in AWS calls, by call."""

from __future__ import annotations

import threading

import pytest

from stillframe.aws_times import timed, tracked_aws_times
from tests.support.fakes import FakeClock


def test_each_call_is_counted_by_its_name(clock: FakeClock) -> None:
    # Given / When calls, one of them made twice
    with tracked_aws_times(clock) as times:
        for call, seconds in (("claim", 0.02), ("put", 0.3), ("put", 0.1)):
            clock.advance(5)
            with timed(call):
                clock.advance(seconds)
    # Then each has its time, and what lies between them is not counted
    assert times.ms == {"claim": 20, "put": 400}


def test_a_call_within_another_is_part_of_it(clock: FakeClock) -> None:
    with tracked_aws_times(clock) as times, timed("put"):
        clock.advance(1)
        with timed("headObject"):
            clock.advance(2)
    assert times.ms == {"put": 3000}


def test_a_call_that_fails_is_counted_too(clock: FakeClock) -> None:
    # Given a call that fails after its retries
    with tracked_aws_times(clock) as times:
        with pytest.raises(ConnectionError):
            fail_slowly(clock)
        # When another one follows, then both are counted
        with timed("delay"):
            clock.advance(1)
    assert times.ms == {"claim": 10_000, "delay": 1000}


def fail_slowly(clock: FakeClock) -> None:
    with timed("claim"):
        clock.advance(10)
        raise ConnectionError


def test_a_clock_that_is_set_back_gives_no_negative_time(clock: FakeClock) -> None:
    with tracked_aws_times(clock) as times, timed("claim"):
        clock.advance(-60)
    assert times.ms == {"claim": 0}


def test_deliveries_on_different_threads_are_counted_apart(clock: FakeClock) -> None:
    # Given another thread that makes a call during a delivery
    def call() -> None:
        with timed("put"):
            clock.advance(1)

    with tracked_aws_times(clock) as times:
        other = threading.Thread(target=call)
        other.start()
        other.join()
    # Then it is not part of the delivery, and outside of deliveries nothing is counted
    assert times.ms == {}
