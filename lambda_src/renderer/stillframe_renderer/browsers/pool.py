"""One warm Chromium: every call on it is bounded in time, and a broken one is replaced."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

from pyppeteer.errors import PyppeteerError

from stillframe.clock import Deadline
from stillframe.errors import BrowserCrashed, CaptureTimeout
from stillframe.image.render_result import RenderResult
from stillframe.request.options import RenderOptions

from ..chromium.browser import Chromium
from ..chromium.memory import WATCH_SECONDS
from ..chromium.tab import Tab
from ..guard.server import EgressGuard
from ..page.capture import PageCapture
from .spare_tab import GuardedTab, SpareTab

logger = logging.getLogger(__name__)

OPEN_SECONDS = 15
# What a browser gathers over its captures goes with it; a launch takes 0.2 s.
CAPTURES_PER_BROWSER = 500
CLOSE_SECONDS = 3

Launcher = Callable[[], Awaitable[Chromium]]


class BrowserPool:
    """Captures pages, several at once, each in a context of its own that shares nothing with another."""

    def __init__(self, launch: Launcher, guard: EgressGuard, memory_limit: int) -> None:
        self._launch = launch
        self._guard = guard
        self._memory_limit = memory_limit
        self._next = SpareTab(guard)
        self._watcher: asyncio.Task[None] | None = None
        self._current: Chromium | None = None
        self._users: dict[Chromium, int] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._lock = asyncio.Lock()
        self._ended_cpu_seconds = 0.0
        # Of what the browser may have, when it was last looked at.
        self.memory_share = 0.0

    async def capture(self, url: str, options: RenderOptions, deadline: Deadline) -> RenderResult:
        """Capture a page before the deadline. Raises a CaptureError."""
        chromium = await self._acquire(deadline)
        try:
            return await self._capture_on(chromium, url, options, deadline)
        except (PyppeteerError, ConnectionError) as error:
            self._retire(chromium)
            raise BrowserCrashed(f"the browser failed during the capture: {error}") from error
        except BrowserCrashed:
            self._retire(chromium)
            raise
        finally:
            self._release(chromium)

    async def warm_up(self) -> None:
        """Start the browser ahead of the first capture."""
        async with self._lock:
            self._next.prepare(await self._running())

    def cpu_seconds(self) -> float:
        """Of every browser that there was. May be called on any thread."""
        return self._ended_cpu_seconds + sum(chromium.cpu.seconds() for chromium in list(self._users))

    async def close(self) -> None:
        """End every browser that is still there."""
        browsers = {*self._users, *filter(None, [self._current])}
        # Contexts that are being closed break off with their browser, which replaces none.
        self._current = None
        await self._next.close()
        for chromium in browsers:
            await chromium.kill()
        # A context that is closed may be the last thing that a browser was kept for.
        while self._closing:
            await asyncio.gather(*self._closing, return_exceptions=True)
        self._users.clear()

    async def _acquire(self, deadline: Deadline) -> Chromium:
        try:
            async with asyncio.timeout(deadline.remaining_seconds()), self._lock:
                chromium = await self._running()
        except TimeoutError as error:
            raise CaptureTimeout("the browser did not start before the job's deadline") from error
        self._users[chromium] = self._users.get(chromium, 0) + 1
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.create_task(self._watch())
        chromium.captures += 1
        if chromium.captures >= CAPTURES_PER_BROWSER:
            self._retire(chromium)
        return chromium

    async def _running(self) -> Chromium:
        if self._current is not None and not self._current.is_alive:
            dead = self._current
            self._retire(dead)
            self._end_if_idle(dead)
        if self._current is None:
            started = time.monotonic()
            self._current = await self._launch()
            launch_ms = round((time.monotonic() - started) * 1000)
            logger.info("browser started", extra={"launchMs": launch_ms, "chromiumPid": self._current.pid})
            self._users.setdefault(self._current, 0)
        return self._current

    def _retire(self, chromium: Chromium) -> None:
        """No new capture goes to this browser; it is ended when the last one leaves it."""
        if self._current is chromium:
            logger.warning("the browser is replaced", extra={"chromiumPid": chromium.pid})
            self._current = None
            self._next.discard()

    def _release(self, chromium: Chromium) -> None:
        self._users[chromium] -= 1
        self._end_if_idle(chromium)

    def _end_if_idle(self, chromium: Chromium) -> None:
        """Nobody waits for it: the kernel takes 2 s to take back the 4 GB of a page that had too much."""
        if chromium is not self._current and not self._users.get(chromium, 0):
            self._ended_cpu_seconds += chromium.cpu.seconds()
            self._users.pop(chromium, None)
            self._in_background(chromium.kill())

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """`close` waits for it."""
        task = asyncio.create_task(work)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _capture_on(
        self, chromium: Chromium, url: str, options: RenderOptions, deadline: Deadline
    ) -> RenderResult:
        async with self._ready(chromium, deadline) as ready:
            tab = ready.tab
            steps = PageCapture(tab, url, self._guard.policy, ready.session, options, deadline)
            work = asyncio.create_task(steps.run())
            try:
                waiting: set[asyncio.Future[Any]] = {work, tab.crash, chromium.connection.closed}
                done, _ = await asyncio.wait(
                    waiting, timeout=deadline.remaining_seconds(), return_when=asyncio.FIRST_COMPLETED
                )
                # A dying renderer also fails the call under way: its crash is the better reason.
                if tab.crash in done:
                    self._retire(chromium)
                    raise BrowserCrashed(
                        f"the page's renderer {'had too much memory' if chromium.had_too_much_memory else 'crashed'}"
                    )
                if work in done:
                    return work.result()
                if done:
                    raise BrowserCrashed("the browser died during the capture")
                raise CaptureTimeout("the capture did not end before the job's deadline")
            finally:
                work.cancel()
                tab.crash.cancel()
                await asyncio.gather(work, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def _ready(self, chromium: Chromium, deadline: Deadline) -> AsyncIterator[GuardedTab]:
        try:
            async with asyncio.timeout(min(OPEN_SECONDS, deadline.remaining_seconds())):
                ready = await self._next.take(chromium)
        except TimeoutError as error:
            if deadline.remaining_seconds() <= 0:
                # Whether it was the browser or this very process that stood still cannot be told.
                self._retire(chromium)
                raise CaptureTimeout("no tab was open before the job's deadline") from error
            raise BrowserCrashed("the browser did not open a tab in time") from error
        if chromium is self._current:
            self._next.prepare(chromium)
        try:
            yield ready
        finally:
            # Nobody waits for it: a busy page takes its time, and the picture is there.
            self._users[chromium] += 1
            self._in_background(self._close(chromium, ready.tab))
            await ready.close_guard()

    async def _close(self, chromium: Chromium, tab: Tab) -> None:
        """Close a context with all that is in it. On a retired browser it ends with the browser."""
        try:
            if chromium is self._current:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await chromium.close_context(tab.context_id)
        except (TimeoutError, PyppeteerError, ConnectionError):
            self._retire(chromium)
        finally:
            self._release(chromium)

    async def _watch(self) -> None:
        """Look after the memory of the browsers for as long as there are captures."""
        while any(self._users.values()):
            await asyncio.sleep(WATCH_SECONDS)
            for chromium in list(self._users):
                share = await asyncio.to_thread(chromium.memory.share_of, self._memory_limit)
                if chromium is self._current:
                    self.memory_share = share
                if share > 1:
                    # The mark goes first: the crash is noticed at once.
                    chromium.had_too_much_memory = True
                    chromium.memory.end_the_largest()
                    self._retire(chromium)
