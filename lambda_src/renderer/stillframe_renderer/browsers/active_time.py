"""A time limit for which only the time counts in which this process ran.

Lambda freezes an environment with everything in it once the answer to an event is there, and what still runs in the
background goes on with the next event, minutes later ("Understanding the Lambda execution environment lifecycle"). By
the clock, every limit is over then, and the browser has had no time at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

STEPS = 20


async def within_active(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """The result of the work. Raises TimeoutError, and what the work raises.

    The limit is counted in steps, and a freeze, however long, is one of them.
    """
    task = asyncio.ensure_future(work)
    try:
        for _ in range(STEPS):
            done, _ = await asyncio.wait({task}, timeout=seconds / STEPS)
            if done:
                return task.result()
    finally:
        task.cancel()
    raise TimeoutError
