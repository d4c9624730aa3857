"""The worker's own memory is measured, and when it is high, fewer captures run at once."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.egress.policy import EgressPolicy
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium.memory import default_worker_limit_mb
from stillframe_renderer.guard.server import EgressGuard
from stillframe_renderer.load.machine import own_memory_bytes

MEGABYTE = 1 << 20


def test_the_memory_of_the_process_is_measured() -> None:
    # Given the memory that this process uses
    before = own_memory_bytes()
    # When it allocates and writes another 64 MB
    allocated = bytearray(b"x" * (64 * MEGABYTE))
    # Then the measurement grows by about as much
    assert 60 * MEGABYTE < own_memory_bytes() - before < 80 * MEGABYTE
    assert len(allocated) == 64 * MEGABYTE


@pytest.mark.parametrize(("function_memory_mb", "limit"), [(2048, 409), (1024, 204), (None, 1024)])
def test_the_limit_follows_the_functions_memory(function_memory_mb: int | None, limit: int) -> None:
    assert default_worker_limit_mb(function_memory_mb) == limit


def test_a_worker_that_uses_too_much_memory_reports_it() -> None:
    # Given engines without a browser, one whose limit is above this process's memory and one whose limit is below it
    async def never() -> Any:
        raise AssertionError

    guard = EgressGuard(EgressPolicy())
    under_limit = RenderEngine(never, guard, max_worker_mb=100_000)
    over_limit = RenderEngine(never, guard, max_worker_mb=1)
    # Then only the second one reports more than its full share
    assert under_limit.memory_share() < 0.1
    assert over_limit.memory_share() > 1
