"""A short chaos run for every change; `make chaos` runs a long one."""

from __future__ import annotations

import pytest

from .run import Plan, chaos


@pytest.mark.usefixtures("chromium")
def test_nothing_is_lost_stored_twice_or_stuck_under_random_kills() -> None:
    # Given 150 messages, a tenth of them sent twice, and three consumers
    plan = Plan(messages=150, disturb_seconds=3, error_share=0.03, seed=11, limit_seconds=240)
    # When consumers, browsers, the emulator and the calls between them are disturbed every few seconds
    figures = chaos(plan)
    # Then every screenshot is stored once, and there were disturbances to survive
    assert (figures["sent"], figures["succeeded"]) == (165, 150)
    assert (figures["lost"], figures["storedTwice"], figures["stuck"], figures["drainsFailed"]) == (0, 0, 0, 0)
    assert figures["kills"] >= 1
    assert figures["awsErrors"] >= 1
