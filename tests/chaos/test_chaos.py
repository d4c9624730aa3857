"""A short chaos run for every change; `make chaos` runs a long one."""

from __future__ import annotations

import pytest

from .run import Plan, chaos


@pytest.mark.usefixtures("chromium")
def test_nothing_is_lost_stored_twice_or_stuck_under_random_kills() -> None:
    # Given 100 messages, a tenth of them sent twice, three consumers, and one whose browser cannot start
    plan = Plan(
        messages=100,
        disturb_seconds=3,
        error_share=0.03,
        seed=11,
        limit_seconds=240,
        deny_every=15,
        deny_seconds=5,
    )
    # When consumers, browsers, the emulator and the calls between them are disturbed, and one call is denied at times
    figures = chaos(plan)
    # Then every screenshot is stored once, and there were disturbances to survive
    assert (figures["sent"], figures["succeeded"]) == (110, 100)
    assert (figures["lost"], figures["storedTwice"], figures["stuck"], figures["drainsFailed"]) == (0, 0, 0, 0)
    # And every webhook has arrived, verified, and whatever came twice was the same
    assert figures["webhooks"] == 100
    assert (figures["webhooksMissing"], figures["webhooksUnverified"], figures["webhooksUnlike"]) == (0, 0, 0)
    assert figures["webhookPosts"] > 100
    assert figures["notifierKills"] + figures["senderKills"] >= 1
    # And whoever read a record saw all its shots, or none
    assert figures["shotsTorn"] == 0
    assert figures["shotsSeen"] >= 68
    # And no message failed for a reason that was the worker's
    assert figures["failedByWorker"] == 0
    assert figures["kills"] >= 1
    assert figures["sickStarts"] >= 1
    assert figures["deniedCalls"] >= 1
    assert figures["awsErrors"] >= 1
