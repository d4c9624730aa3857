"""The browser's pipe: an event that is too long is dropped, and the messages after it are not."""

from __future__ import annotations

import pytest

from stillframe_renderer.chromium.pipe import MAX_EVENT_BYTES, MAX_PAUSED_REQUEST_BYTES

from .test_encoding import as_chromium, pass_through_pipe

BEFORE = as_chromium({"id": 1, "result": {}})
AFTER = as_chromium({"method": "Page.loadEventFired", "params": {}})


def event(method: str, size: int) -> bytes:
    return as_chromium({"method": method, "params": {"text": "x" * size}})


def pieces_of(stream: bytes, size: int) -> list[bytes]:
    return [stream[start : start + size] for start in range(0, len(stream), size)]


@pytest.mark.parametrize("size", [5000, 65_536, 10_000_000])
@pytest.mark.parametrize("method", ["Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Network.requestWillBeSent"])
def test_an_event_that_is_too_long_is_dropped(method: str, size: int) -> None:
    # Given a long event between two messages
    stream = BEFORE + event(method, 3 * MAX_EVENT_BYTES) + AFTER
    # When it arrives in pieces, then only the long event is dropped, and the connection stays open
    assert pass_through_pipe(pieces_of(stream, size)) == ([BEFORE, AFTER], False)


def test_an_event_just_within_the_limit_is_kept() -> None:
    short = event("Runtime.consoleAPICalled", MAX_EVENT_BYTES - 200)
    assert pass_through_pipe([BEFORE + short + AFTER]) == ([BEFORE, short, AFTER], False)


def test_an_answer_has_no_length_limit() -> None:
    # The data of a screenshot may have any length.
    answer = as_chromium({"id": 2, "result": {"data": b"x" * (4 * MAX_EVENT_BYTES)}})
    assert pass_through_pipe(pieces_of(BEFORE + answer + AFTER, 100_000)) == ([BEFORE, answer, AFTER], False)


def test_a_paused_request_may_carry_an_upload() -> None:
    upload = event("Fetch.requestPaused", MAX_PAUSED_REQUEST_BYTES - 200)
    assert pass_through_pipe(pieces_of(upload + AFTER, 1_000_000)) == ([upload, AFTER], False)


@pytest.mark.parametrize("first", [1, 7, 8, 20, 90, 102, 103])
def test_a_long_event_is_dropped_wherever_its_beginning_is_cut(first: int) -> None:
    stream = event("Runtime.consoleAPICalled", 2 * MAX_EVENT_BYTES) + AFTER
    assert pass_through_pipe([stream[:first], *pieces_of(stream[first:], 500_000)]) == ([AFTER], False)
