"""The worker's own memory: measured, and a reason to run fewer captures at once."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.egress.policy import EgressPolicy
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium.memory import default_worker_limit_mb
from stillframe_renderer.guard.server import EgressGuard
from stillframe_renderer.load.machine import own_memory_bytes

MEGABYTE = 1 << 20


def test_what_the_process_holds_is_measured() -> None:
    # Given what it has
    before = own_memory_bytes()
    # When it holds 64 MB more, which it has written to
    held = bytearray(b"x" * (64 * MEGABYTE))
    # Then that is seen
    assert 60 * MEGABYTE < own_memory_bytes() - before < 80 * MEGABYTE
    assert len(held) == 64 * MEGABYTE


@pytest.mark.parametrize(("function_memory_mb", "limit"), [(2048, 409), (1024, 204), (None, 1024)])
def test_the_limit_follows_the_functions_memory(function_memory_mb: int | None, limit: int) -> None:
    assert default_worker_limit_mb(function_memory_mb) == limit


def test_a_worker_that_holds_too_much_says_so() -> None:
    # Given engines that have started no browser, one with room for this process and one without
    async def never() -> Any:
        raise AssertionError

    guard = EgressGuard(EgressPolicy())
    roomy = RenderEngine(never, guard, max_worker_mb=100_000)
    tight = RenderEngine(never, guard, max_worker_mb=1)
    # Then the second one asks for fewer captures at once
    assert roomy.memory_share() < 0.1
    assert tight.memory_share() > 1
