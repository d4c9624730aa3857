"""Watches the memory of the browsers, and ends the one page that takes too much of it.

A renderer that is too large is killed, and only its own page ends. What pages store (blobs, files, databases, caches)
is kept by the browser's other processes, which all pages share. Chromium does not say whose it is, and a page can keep
its renderer from answering. So the suspects are ended one by one until the memory is free again. A page that was
suspected wrongly is captured again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from typing import NoReturn

from pyppeteer.errors import PyppeteerError

from stillframe import log_messages
from stillframe.errors import BrowserCrashed

from ..chromium.browser import Chromium
from ..chromium.memory import Usage, kill_largest_renderer
from ..chromium.tab import Tab
from .active_time import within_active

logger = logging.getLogger(__name__)

WATCH_SECONDS = 0.5
CLOSE_SECONDS = 3
# Chromium returns the memory of a closed context within 0.1 s.
RELEASE_SECONDS = 0.5
POLL_SECONDS = 0.05
# A page is to blame if this share of what is kept beyond the ordinary was its own.
SHARE_TO_BLAME = 1 / 8


class WronglySuspected(Exception):
    """The capture was ended on suspicion, but another page is to blame: it has to be captured again."""


class WatchedCapture:
    """A capture in progress, and what the watch decides about it."""

    def __init__(self, tab: Tab, kept_before: int) -> None:
        self.tab = tab
        self.kept_before = kept_before
        # Once it is suspected, its tab is closed, and whatever it fails with is due to that.
        self.is_suspected = False
        self.is_to_blame: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def verdict(self) -> NoReturn:
        """Raise what the capture ends with once it was suspected: BrowserCrashed or WronglySuspected."""
        if await self.is_to_blame:
            raise BrowserCrashed("the page stored too much in the browser's memory")
        raise WronglySuspected


class MemoryWatch:
    """Measures the browsers while there are captures. `limit_bytes` is what each of them may use."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._captures: dict[Chromium, list[WatchedCapture]] = {}
        self._task: asyncio.Task[None] | None = None

    def share_of(self, chromium: Chromium) -> float:
        """The browser's memory as a share of the limit, when it was last measured."""
        return chromium.memory.last.total / self._limit_bytes

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
            for chromium in list(self._captures):
                usage = await asyncio.to_thread(chromium.memory.measure)
                if usage.total > self._limit_bytes:
                    await self._relieve(chromium, usage)
            await asyncio.sleep(WATCH_SECONDS)

    async def _relieve(self, chromium: Chromium, usage: Usage) -> None:
        self._log(log_messages.BROWSER_MEMORY, chromium, usage)
        if chromium.memory.kept(usage) > usage.largest_renderer:
            await self._end_whoever_is_to_blame(chromium, usage)
        else:
            # The mark comes first: the crash is noticed at once.
            chromium.used_too_much_memory = True
            kill_largest_renderer(usage)

    async def _end_whoever_is_to_blame(self, chromium: Chromium, usage: Usage) -> None:
        for capture in self._suspects(chromium, usage):
            capture.is_suspected = True
            is_to_blame = False
            try:
                is_to_blame = await self._frees_memory(chromium, capture.tab)
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
        most = chromium.memory.kept(usage) / 2
        youngest_first = reversed(self._captures.get(chromium, []))
        return sorted(youngest_first, key=lambda capture: usage.own - capture.kept_before < most)

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
