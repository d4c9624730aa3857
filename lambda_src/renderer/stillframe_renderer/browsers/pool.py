"""The pool of warm browsers: every call on one is bounded in time, and a broken one is replaced."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

from pyppeteer.errors import PyppeteerError

from stillframe import log_messages
from stillframe.clock import Deadline
from stillframe.errors import BrowserCrashed, BrowserUnavailable, CaptureError, CaptureTimeout, TransientError
from stillframe.image.render_result import RenderResult
from stillframe.request.options import RenderOptions

from ..chromium.browser import Chromium
from ..chromium.tab import Tab
from ..guard.server import EgressGuard
from ..page.camera import ScreenshotStalled
from ..page.capture import PageCapture
from .active_time import within_active
from .attempt import attempt
from .memory_watch import TOO_MUCH, MemoryWatch, RepeatNeeded
from .spare_tabs import GuardedTab, SpareTabs

logger = logging.getLogger(__name__)

OPEN_SECONDS = 15
# What a browser accumulates over its captures ends with it; a launch takes 0.2 s.
CAPTURES_PER_BROWSER = 500
CLOSE_SECONDS = 3
# Of a capture that ended because of its browser.
MAX_REPEATS = 2
STALLED = "the browser took no screenshot of the page"

Launcher = Callable[[], Awaitable[Chromium]]


class BrowserPool:
    """Captures pages, several at once, each in a browser context that shares nothing with another.

    One browser is current and takes every new capture. Retired ones are ended when their last capture has left.
    """

    def __init__(self, launch: Launcher, guard: EgressGuard, memory: MemoryWatch) -> None:
        self._launch = launch
        self._guard = guard
        self._memory = memory
        self._spare_tabs = SpareTabs(guard, memory)
        self._current: Chromium | None = None
        self._users: dict[Chromium, int] = {}
        self._background: set[asyncio.Task[Any]] = set()
        self._lock = asyncio.Lock()
        self._repeating = asyncio.Lock()
        self._ended_cpu_seconds = 0.0

    @property
    def memory_share(self) -> float:
        """The current browser's memory as a share of its limit, when it was last measured."""
        return self._memory.share_of(self._current) if self._current is not None else 0.0

    async def capture(self, url: str, options: RenderOptions, deadline: Deadline) -> RenderResult:
        """Capture a page before the deadline. Raises a CaptureError."""
        reason = TOO_MUCH
        with contextlib.suppress(RepeatNeeded):
            return await self._capture(url, options, deadline)
        try:
            async with asyncio.timeout(deadline.remaining_seconds()):
                await self._repeating.acquire()
        except TimeoutError as error:
            raise CaptureTimeout("the capture was not repeated before the job's deadline") from error
        # One at a time, so that it can be told which of them uses up the memory again.
        try:
            for _ in range(MAX_REPEATS):
                try:
                    return await self._capture(url, options, deadline)
                except RepeatNeeded as suspected:
                    reason = STALLED if isinstance(suspected.__cause__, ScreenshotStalled) else TOO_MUCH
        finally:
            self._repeating.release()
        raise BrowserCrashed(reason)

    async def _capture(self, url: str, options: RenderOptions, deadline: Deadline) -> RenderResult:
        """Raises a CaptureError, or RepeatNeeded."""
        chromium = await self._acquire(deadline)
        try:
            async with self._guarded_tab(chromium, deadline) as guarded:
                capture = PageCapture(guarded.tab, url, self._guard.policy, guarded.session, options, deadline)
                return await attempt(capture, guarded.tab, self._memory, deadline)
        except RepeatNeeded:
            self._retire(chromium)
            raise
        except ScreenshotStalled as error:
            self._retire(chromium)
            raise RepeatNeeded from error
        except (PyppeteerError, ConnectionError, BrowserCrashed, BrowserUnavailable) as error:
            self._retire(chromium)
            if chromium.used_up_memory:
                raise RepeatNeeded from error
            if isinstance(error, CaptureError):
                raise
            raise BrowserCrashed(f"the browser failed during the capture: {error}") from error
        finally:
            self._release(chromium)

    async def warm_up(self) -> None:
        """Start the browser and open a tab ahead of the first capture. Raises BrowserUnavailable if there is none."""
        async with self._lock:
            chromium = await self._running()
            self._spare_tabs.open_one(chromium)
            try:
                async with asyncio.timeout(OPEN_SECONDS):
                    await self._spare_tabs.is_open()
            except (TimeoutError, PyppeteerError, ConnectionError) as error:
                self._retire(chromium)
                self._end_if_unused(chromium)
                raise BrowserUnavailable(f"the browser opened no tab: {str(error) or 'no response'}") from error

    def cpu_seconds(self) -> float:
        """CPU time of every browser so far. May be called on any thread."""
        return self._ended_cpu_seconds + sum(chromium.cpu.seconds() for chromium in list(self._users))

    def kill_now(self) -> None:
        """Kill every browser at once, without anything else. May be called on any thread."""
        for chromium in list(self._users):
            chromium.kill_now()

    async def close(self) -> None:
        """End every browser."""
        browsers = {*self._users, *filter(None, [self._current])}
        # Contexts that are being closed fail with their browser; none of that replaces a browser any more.
        self._current = None
        await self._spare_tabs.close()
        for chromium in browsers:
            await chromium.kill()
        # Closing a context may be the last thing that a browser was kept for.
        while ending := set(self._background):
            await asyncio.gather(*ending, return_exceptions=True)
            # What has ended before it was awaited has not left by itself: from Python 3.12 on, nobody else had a turn.
            self._background -= ending
        self._users.clear()
        await self._guard.close()

    async def _acquire(self, deadline: Deadline) -> Chromium:
        try:
            async with asyncio.timeout(deadline.remaining_seconds()), self._lock:
                chromium = await self._running()
        except TimeoutError as error:
            raise BrowserUnavailable("the browser did not start before the job's deadline") from error
        self._users[chromium] = self._users.get(chromium, 0) + 1
        chromium.captures += 1
        if chromium.captures >= CAPTURES_PER_BROWSER:
            self._retire(chromium)
        return chromium

    async def _running(self) -> Chromium:
        if self._current is not None and not self._current.is_alive:
            dead = self._current
            self._retire(dead)
            self._end_if_unused(dead)
        if self._current is None:
            started = time.monotonic()
            self._current = await self._launch()
            launch_ms = round((time.monotonic() - started) * 1000)
            logger.info(log_messages.BROWSER_STARTED, extra={"launchMs": launch_ms, "chromiumPid": self._current.pid})
            self._users.setdefault(self._current, 0)
        return self._current

    def _retire(self, chromium: Chromium) -> None:
        """Send no further capture to this browser; it is ended when the last one has left it."""
        if self._current is chromium:
            logger.warning(log_messages.BROWSER_REPLACED, extra={"chromiumPid": chromium.pid})
            self._current = None
            self._spare_tabs.discard()

    def _release(self, chromium: Chromium) -> None:
        self._users[chromium] -= 1
        self._end_if_unused(chromium)

    def _end_if_unused(self, chromium: Chromium) -> None:
        """In the background: the kernel needs 2 s to reclaim the 4 GB of a page that used too much memory."""
        if chromium is not self._current and not self._users.get(chromium, 0):
            self._ended_cpu_seconds += chromium.cpu.seconds()
            self._users.pop(chromium, None)
            self._run_in_background(chromium.kill())

    def _run_in_background(self, work: Coroutine[Any, Any, Any]) -> None:
        """Nobody awaits the work but `close`."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    @contextlib.asynccontextmanager
    async def _guarded_tab(self, chromium: Chromium, deadline: Deadline) -> AsyncIterator[GuardedTab]:
        try:
            async with asyncio.timeout(min(OPEN_SECONDS, deadline.remaining_seconds())):
                guarded = await self._spare_tabs.pop(chromium)
                chromium.has_opened_tab = True
        except TimeoutError as error:
            if deadline.remaining_seconds() <= 0:
                # Nobody can tell whether the browser stood still or this very process did.
                self._retire(chromium)
                raise CaptureTimeout("no tab was open before the job's deadline") from error
            raise self._without_tab(chromium, "in time") from error
        except (PyppeteerError, ConnectionError) as error:
            raise self._without_tab(chromium, str(error)) from error
        if chromium is self._current:
            self._spare_tabs.refill_soon(chromium)
        try:
            yield guarded
        finally:
            # In the background: a busy page closes slowly, and the screenshot has been taken.
            self._users[chromium] += 1
            self._run_in_background(self._close_context(chromium, guarded.tab))
            await guarded.close_guard()

    def _without_tab(self, chromium: Chromium, reason: str) -> TransientError:
        """The error for a capture without a tab: another page may have harmed the browser, but nothing else can."""
        is_its_own = self._users[chromium] == 1 or not chromium.has_opened_tab
        return (BrowserUnavailable if is_its_own else BrowserCrashed)(f"the browser did not open a tab: {reason}")

    async def _close_context(self, chromium: Chromium, tab: Tab) -> None:
        """Close a context with everything in it. On a retired browser it ends with the browser."""
        try:
            if chromium is self._current:
                await within_active(CLOSE_SECONDS, chromium.close_context(tab.context_id))
        except (TimeoutError, PyppeteerError, ConnectionError):
            self._retire(chromium)
        finally:
            self._release(chromium)
