"""A time limit that a freeze does not use up."""

from __future__ import annotations

import asyncio
import time

import pytest

from stillframe_renderer.browsers.active_time import within_active


async def slow(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"


async def frozen_for(seconds: float, work_seconds: float, limit_seconds: float) -> str:
    """The result of work that is limited, while the event loop stands still soon after it has begun."""
    asyncio.get_running_loop().call_later(0.01, time.sleep, seconds)
    return await within_active(limit_seconds, slow(seconds + work_seconds))


def test_a_freeze_counts_as_one_step() -> None:
    # Given work that needs a moment after a freeze of twice its limit, when it is waited for, then it is done
    assert asyncio.run(frozen_for(1.0, 0.1, 0.5)) == "done"


def test_what_takes_too_long_ends_and_is_cancelled() -> None:
    # Given work that would never end
    ended = []

    async def endless() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(True)

    async def limited() -> None:
        with pytest.raises(TimeoutError):
            await within_active(0.1, endless())
        await asyncio.sleep(0)

    # When its limit is over, then it was cancelled
    asyncio.run(limited())
    assert ended == [True]


def test_what_the_work_raises_is_raised() -> None:
    async def broken() -> None:
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        asyncio.run(within_active(1, broken()))
