"""Watches the memory of the browsers, and ends the one page that takes too much of it.

A renderer that is too large is killed, and only its own page ends. What pages store (blobs, files, databases, caches)
is kept by the browser's other processes, which all pages share. Chromium does not say whose it is, and a page can keep
its renderer from answering. So the suspects are ended one by one until the memory is free again. A page that was
suspected wrongly is captured again.

A page can fill a gigabyte in a third of a second. So what is left to all processes, which one small file tells, is
looked at the more often the less it is, and the browsers are measured when it has shrunk.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from typing import NoReturn

from pyppeteer.errors import PyppeteerError

from stillframe import log_messages
from stillframe.errors import BrowserCrashed

from ..chromium.browser import Chromium
from ..chromium.memory import Usage
from ..chromium.tab import Tab
from ..load.free_memory import FreeMemory
from .active_time import within_active

logger = logging.getLogger(__name__)

# The browsers are measured at least this often, and whenever this share of what was left has been used since.
MEASURE_SECONDS = 0.5
SHARE_USED = 1 / 8
# Several times the speed at which a processor fills memory (3 GB/s). The watch looks again before what is left could be
# filled at this speed, within these bounds.
FILL_BYTES_PER_SECOND = 16 << 30
MIN_LOOK_SECONDS, MAX_LOOK_SECONDS = 0.005, 0.1
# With less than this left, the kernel is about to kill something. The largest page is ended before, if it is so large
# a share of what the browser may use.
MIN_FREE_BYTES = 96 << 20
LARGE_SHARE = 1 / 4
CLOSE_SECONDS = 3
# Chromium returns the memory of a closed context within 0.1 s.
RELEASE_SECONDS = 0.5
POLL_SECONDS = 0.05
# A page is to blame if this share of what is kept beyond the ordinary was its own.
SHARE_TO_BLAME = 1 / 8
TOO_MUCH = "the page stored too much in the browser's memory"


class RepeatNeeded(Exception):
    """The capture ended because of its browser, for which another page may be to blame: it has to be captured again."""


class WatchedCapture:
    """A capture in progress, and what the watch decides about it."""

    def __init__(self, tab: Tab, kept_before: int) -> None:
        self.tab = tab
        self.kept_before = kept_before
        # Once it is suspected, its tab is closed, and whatever it fails with is due to that.
        self.is_suspected = False
        self.is_to_blame: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def verdict(self) -> NoReturn:
        """Raise what the capture ends with once it was suspected: BrowserCrashed or RepeatNeeded."""
        if await self.is_to_blame:
            raise BrowserCrashed(TOO_MUCH)
        raise RepeatNeeded


class MemoryWatch:
    """Measures the browsers while there are captures. `limit_bytes` is what each of them may use."""

    def __init__(self, limit_bytes: int, free_memory: FreeMemory) -> None:
        self._limit_bytes = limit_bytes
        self._free_memory = free_memory
        self._captures: dict[Chromium, list[WatchedCapture]] = {}
        self._task: asyncio.Task[None] | None = None
        # Whose captures are being ended one by one.
        self._relieved: set[Chromium] = set()
        # When a page was last ended: what it had is free soon after.
        self._ended_at = 0.0

    def share_of(self, chromium: Chromium) -> float:
        """The browser's memory as a share of the limit, when it was last measured."""
        return chromium.memory.last.total / self._limit_bytes

    def room_within(self, share: float, chromium: Chromium) -> int:
        """The bytes that the browser may use more before it uses this share of the limit; negative if it uses more."""
        return int(self._limit_bytes * share) - chromium.memory.last.total

    @contextlib.contextmanager
    def watched(self, tab: Tab) -> Iterator[WatchedCapture]:
        """Watch a capture while it lasts."""
        chromium = tab.chromium
        captures = self._captures.setdefault(chromium, [])
        capture = WatchedCapture(tab, chromium.memory.last.own)
        captures.append(capture)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())
        try:
            yield capture
        finally:
            captures.remove(capture)
            if not captures:
                self._captures.pop(chromium, None)

    async def _watch(self) -> None:
        while self._captures:
            # On a thread of its own, which no work of the event loop holds up.
            await asyncio.to_thread(self._look, asyncio.get_running_loop())

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look for as long as there are captures, and relieve browsers that use too much."""
        measured_at, most_free = 0.0, 0
        with self._free_memory.opened() as measure_free:
            while self._captures:
                free, now = measure_free(), time.monotonic()
                # What pages can fill before something has to be done.
                room = self._limit_bytes if free is None else min(free, self._limit_bytes)
                has_shrunk = free is not None and most_free - free > room * SHARE_USED
                if has_shrunk or now - measured_at > MEASURE_SECONDS:
                    measured_at, most_free = now, 0
                    for chromium in list(self._captures):
                        self._judge(chromium, chromium.memory.measure(), free, loop)
                most_free = max(most_free, free or 0)
                time.sleep(min(max(room / FILL_BYTES_PER_SECOND, MIN_LOOK_SECONDS), MAX_LOOK_SECONDS))

    def _judge(self, chromium: Chromium, usage: Usage, free: int | None, loop: asyncio.AbstractEventLoop) -> None:
        kept, largest = chromium.memory.kept(usage), usage.largest_renderer
        is_urgent = free is not None and free < MIN_FREE_BYTES and max(kept, largest) > self._limit_bytes * LARGE_SHARE
        if chromium.used_up_memory or not (is_urgent or usage.total > self._limit_bytes):
            return
        if kept <= largest:
            self._log(log_messages.BROWSER_MEMORY, chromium, usage)
            # The mark comes first: the crash is noticed at once.
            chromium.used_too_much_memory = True
            chromium.memory.kill_largest_renderer(usage)
            self._ended_at = time.monotonic()
        elif is_urgent:
            self._log(log_messages.BROWSER_MEMORY, chromium, usage)
            # There is no time to find out whose it is. All captures of the browser are repeated, one at a time.
            chromium.used_up_memory = True
            chromium.kill_now()
        elif chromium not in self._relieved and time.monotonic() - self._ended_at > RELEASE_SECONDS:
            self._log(log_messages.BROWSER_MEMORY, chromium, usage)
            self._relieved.add(chromium)
            asyncio.run_coroutine_threadsafe(self._relieve(chromium, usage), loop)

    async def _relieve(self, chromium: Chromium, usage: Usage) -> None:
        try:
            await self._end_whoever_is_to_blame(chromium, usage)
        finally:
            self._relieved.discard(chromium)
            self._ended_at = time.monotonic()

    async def _end_whoever_is_to_blame(self, chromium: Chromium, usage: Usage) -> None:
        suspects = self._suspects(chromium, usage)
        # Nobody else can have done it, whether or not the memory is free at once.
        is_certain = len(suspects) == 1 and self._has_filled_most(suspects[0], chromium, usage)
        for capture in suspects:
            capture.is_suspected = True
            is_to_blame = is_certain
            try:
                is_to_blame = await self._frees_memory(chromium, capture.tab) or is_certain
            except (TimeoutError, PyppeteerError, ConnectionError):
                return
            finally:
                if not capture.is_to_blame.done():
                    capture.is_to_blame.set_result(is_to_blame)
            if is_to_blame:
                self._log(log_messages.PAGE_KEPT_TOO_MUCH, chromium, chromium.memory.last)
                return

    def _suspects(self, chromium: Chromium, usage: Usage) -> list[WatchedCapture]:
        """Whose captures might have filled the memory, the likeliest first.

        That is the youngest one during which most of the memory was filled: most pages that do harm begin at once.
        """
        youngest_first = reversed(self._captures.get(chromium, []))
        return sorted(youngest_first, key=lambda capture: not self._has_filled_most(capture, chromium, usage))

    def _has_filled_most(self, capture: WatchedCapture, chromium: Chromium, usage: Usage) -> bool:
        """Whether most of what is kept came while this capture was in progress."""
        return usage.own - capture.kept_before >= chromium.memory.kept(usage) / 2

    async def _frees_memory(self, chromium: Chromium, tab: Tab) -> bool:
        """Close the context of this tab, and tell whether much of the memory is free then."""
        before = await asyncio.to_thread(chromium.memory.measure)
        to_blame = chromium.memory.kept(before) * SHARE_TO_BLAME
        await within_active(CLOSE_SECONDS, chromium.close_context(tab.context_id))
        for _ in range(round(RELEASE_SECONDS / POLL_SECONDS)):
            now = await asyncio.to_thread(chromium.memory.measure)
            if before.own - now.own > to_blame:
                return True
            await asyncio.sleep(POLL_SECONDS)
        return False

    def _log(self, message: str, chromium: Chromium, usage: Usage) -> None:
        sizes = {"megabytes": usage.total >> 20, "keptMegabytes": chromium.memory.kept(usage) >> 20}
        logger.warning(message, extra={"chromiumPid": chromium.pid, **sizes, "limitMegabytes": self._limit_bytes >> 20})
