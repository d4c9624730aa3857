"""A full page is scrolled through before its picture, until nothing more comes of it."""

from __future__ import annotations

import asyncio
import time

from .scripts import HEIGHT, REVEAL, SCROLL_THROUGH, TO_THE_TOP, UNFIX
from .traffic import Traffic
from .world import World

# For all of the scrolling, and for what one way down has brought to load.
SCROLL_SECONDS = 5.0
LOAD_SECONDS = 2.0
POLL_SECONDS = 0.02


async def scroll_through(world: World, traffic: Traffic, cap: int) -> None:
    """Down to the end or the cap (CSS pixels), further when the page has grown, and back to the top."""
    give_up_at = time.monotonic() + SCROLL_SECONDS
    reached = 0
    while (left := give_up_at - time.monotonic()) > 0:
        end = int(await world.evaluate(SCROLL_THROUGH % (reached, cap, left * 1000)) or 0)
        await _loaded(traffic)
        height = int(await world.evaluate(HEIGHT) or 0)
        if height <= end or end >= cap:
            break
        reached = end
    await world.evaluate(f"{UNFIX}; {REVEAL}; {TO_THE_TOP}")


async def reveal(world: World) -> None:
    """Have painted what is not in the window."""
    await world.evaluate(REVEAL)


async def _loaded(traffic: Traffic) -> None:
    """What is under way is there, or it takes too long."""
    give_up_at = time.monotonic() + LOAD_SECONDS
    while traffic.pending and time.monotonic() < give_up_at:  # noqa: ASYNC110  # no event tells
        await asyncio.sleep(POLL_SECONDS)
