"""Scrolling through a full page before its screenshot, until no more content appears."""

from __future__ import annotations

import asyncio
import time

from .scripts import HEIGHT, RENDER_OFFSCREEN, SCROLL_BACKGROUNDS, SCROLL_THROUGH, SCROLL_TO_TOP
from .traffic import Traffic
from .world import World

# The limits for all scrolling, and for loading what it has triggered, which takes no time from the scrolling.
MAX_SCROLL_SECONDS = 5.0
MAX_LOAD_SECONDS = 12.0
POLL_SECONDS = 0.02


async def scroll_through(world: World, traffic: Traffic, cap: int) -> None:
    """Scroll down to the end or to the cap (CSS pixels), further if the page has grown, and back to the top."""
    give_up_at = time.monotonic() + MAX_SCROLL_SECONDS
    reached = 0
    while (left := give_up_at - time.monotonic()) > 0:
        end = int(await world.evaluate(SCROLL_THROUGH % (reached, cap, left * 1000)) or 0)
        await _wait_for_loads(traffic)
        height = int(await world.evaluate(HEIGHT) or 0)
        if height <= end or end >= cap:
            break
        reached = end
    await world.evaluate(f"{SCROLL_BACKGROUNDS}; {RENDER_OFFSCREEN}; {SCROLL_TO_TOP}")


async def render_offscreen_content(world: World) -> None:
    """Make the browser paint content that is outside the window."""
    await world.evaluate(RENDER_OFFSCREEN)


async def _wait_for_loads(traffic: Traffic) -> None:
    """Wait until no request is pending, but not for too long."""
    give_up_at = time.monotonic() + MAX_LOAD_SECONDS
    while traffic.pending and time.monotonic() < give_up_at:  # noqa: ASYNC110  # there is no event
        await asyncio.sleep(POLL_SECONDS)
