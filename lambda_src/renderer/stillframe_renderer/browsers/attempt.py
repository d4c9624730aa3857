"""One attempt to capture a page. It ends with its work, its tab, its browser or its time, whichever ends first."""

from __future__ import annotations

import asyncio
from typing import Any

from stillframe.clock import Deadline
from stillframe.errors import BrowserCrashed, CaptureTimeout
from stillframe.image.render_result import RenderResult

from ..chromium.tab import Tab
from ..page.capture import PageCapture
from .memory_watch import MemoryWatch, WatchedCapture


async def attempt(capture: PageCapture, tab: Tab, memory: MemoryWatch, deadline: Deadline) -> RenderResult:
    """Run the capture. Raises a CaptureError, RepeatNeeded or ScreenshotStalled."""
    work = asyncio.create_task(capture.run())
    try:
        with memory.watched(tab) as watched:
            ends: set[asyncio.Future[Any]] = {work, tab.crash, tab.chromium.connection.closed, watched.is_to_blame}
            await asyncio.wait(ends, timeout=deadline.remaining_seconds(), return_when=asyncio.FIRST_COMPLETED)
            return await _outcome(work, tab, watched)
    finally:
        work.cancel()
        tab.crash.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def _outcome(work: asyncio.Task[RenderResult], tab: Tab, watched: WatchedCapture) -> RenderResult:
    # What ends a capture from outside also fails the call in progress: the cause is the better reason.
    if tab.crash.done():
        too_large = tab.chromium.used_too_much_memory
        raise BrowserCrashed(f"the page's renderer {'used too much memory' if too_large else 'crashed'}")
    if watched.is_suspected and not _has_succeeded(work):
        await watched.verdict()
    if work.done():
        return work.result()
    if tab.chromium.connection.closed.done():
        raise BrowserCrashed("the browser died during the capture")
    raise CaptureTimeout("the capture did not end before the job's deadline")


def _has_succeeded(work: asyncio.Task[RenderResult]) -> bool:
    return work.done() and not work.cancelled() and work.exception() is None
