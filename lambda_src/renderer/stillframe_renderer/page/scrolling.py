"""Scrolling through a full page before its screenshot, as a visitor would, until no more content appears."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from .clock import PageClock
from .elements import WALK
from .scripts import MAY_REACT, RENDER_OFFSCREEN, SCROLL_BACKGROUNDS
from .scrollers import GO_TO, MAIN_SCROLLER, STOP_MS
from .seen import REMEMBER
from .traffic import Traffic
from .world import World

# The limits for all scrolling, and for loading what it has triggered, which takes no time from the scrolling. A machine
# that is too busy for so many stops in that time gets more of it.
MAX_SCROLL_SECONDS = 8.0
MIN_STOPS = 40
MAX_BUSY_SECONDS = 20.0
MAX_LOAD_SECONDS = 12.0
POLL_SECONDS = 0.02
# A block of two thirds of the window is wholly in view at one of the stops; taller ones get a stop of their own.
STOPS_PER_WINDOW = 3
MAX_STOPS = 200

# The stops from a position on, in pixels of what scrolls. Empty if scrolling cannot change anything.
STOPS = (
    "(() => {"
    + WALK
    + MAIN_SCROLLER
    + f"const from = %d, cap = %d, parts = {STOPS_PER_WINDOW};"
    + """
  const scroller = mainScroller(), inner = scroller && innerOf(scroller);
  const what = inner ?? scroller ?? document.scrollingElement ?? document.documentElement;
  if (!what) return { end: 0, stops: [] };
  const end = Math.min(cap, what.scrollHeight);
  if (from === 0 && !"""
    + MAY_REACT
    + """) return { end, stops: [] };
  const view = scroller ? scroller.clientHeight : innerHeight;
  const step = Math.max(view / parts, 70), last = Math.max(0, end - view);
  const stops = new Set();
  for (let top = from; top < last; top += step) stops.add(Math.round(top));
  stops.add(Math.round(last));
  const origin = scroller && !inner ? scroller.getBoundingClientRect().top : 0;
  for (const element of (inner?.ownerDocument ?? document).querySelectorAll('body *')) {
    const height = element.offsetHeight;
    if (height <= view - step || height > view) continue;
    const top = Math.round(element.getBoundingClientRect().top + what.scrollTop - origin);
    if (top > from && top < last) stops.add(top);
  }
  return { end, stops: [...stops].sort((a, b) => a - b) };
})()"""
)


async def scroll_through(world: World, traffic: Traffic, cap: int, clock: PageClock | None) -> bool:
    """Scroll down to the end or to the cap (CSS pixels), further if the page has grown, and back to the top.

    With a clock, the page's timers run at every stop. Returns whether the end was reached.
    """
    started, count = time.monotonic(), 0
    load_seconds = MAX_LOAD_SECONDS
    await world.evaluate(RENDER_OFFSCREEN)
    plan, is_complete = await _stops(world, 0, cap), False

    def has_time() -> bool:
        return time.monotonic() < started + (MAX_SCROLL_SECONDS if count >= MIN_STOPS else MAX_BUSY_SECONDS)

    while not is_complete and has_time():
        for stop in plan["stops"][:MAX_STOPS]:
            await world.evaluate(GO_TO % stop)
            if clock is not None:
                await clock.skip(STOP_MS)
                await world.evaluate(REMEMBER % stop)
            count += 1
            if not has_time():
                break
        waited = await wait_for_loads(traffic, load_seconds)
        load_seconds -= waited
        started += waited
        further = await _stops(world, plan["end"], cap)
        is_complete = further["end"] <= plan["end"]
        plan = further
    await world.evaluate(f"{SCROLL_BACKGROUNDS}; {RENDER_OFFSCREEN}; {GO_TO % 0}")
    return is_complete


async def _stops(world: World, reached: int, cap: int) -> dict[str, Any]:
    return await world.evaluate(STOPS % (reached, cap)) or {"end": 0, "stops": []}


async def render_offscreen_content(world: World) -> None:
    """Make the browser paint content that is outside the window."""
    await world.evaluate(RENDER_OFFSCREEN)


async def wait_for_loads(traffic: Traffic, seconds: float) -> float:
    """Wait until no request is pending, but not for longer. Returns the seconds that it took."""
    started = time.monotonic()
    while traffic.pending and time.monotonic() - started < seconds:
        await asyncio.sleep(POLL_SECONDS)
        traffic.give_up_overdue()
    return time.monotonic() - started
