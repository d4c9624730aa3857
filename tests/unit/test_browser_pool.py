"""The browser pool without a browser."""

from __future__ import annotations

import asyncio
import signal
from typing import NoReturn

import pytest

from stillframe.egress.policy import EgressPolicy
from stillframe_renderer.browsers.memory_watch import MemoryWatch
from stillframe_renderer.browsers.pool import BrowserPool
from stillframe_renderer.chromium.browser import Chromium
from stillframe_renderer.guard.server import EgressGuard
from stillframe_renderer.load.free_memory import FreeMemory

PATIENCE_SECONDS = 5


async def no_browser() -> Chromium:
    raise AssertionError("no browser is needed")


async def nothing() -> None:
    pass


def test_the_pool_ends_although_work_has_ended_that_nobody_was_told_of_yet() -> None:
    async def end() -> None:
        # Given: work in the background that has ended in this turn of the loop, before its callbacks were called
        pool = BrowserPool(no_browser, EgressGuard(EgressPolicy.of()), MemoryWatch(1 << 30, FreeMemory()))
        pool._run_in_background(nothing())
        await asyncio.sleep(0)
        # When: the pool is closed
        await pool.close()

    # Then: it ends. From Python 3.12 on, waiting for what has ended lets nobody else have a turn.
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(PATIENCE_SECONDS)
    try:
        asyncio.run(end())
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _give_up(*_: object) -> NoReturn:
    pytest.fail(f"the pool has not ended within {PATIENCE_SECONDS} s")
