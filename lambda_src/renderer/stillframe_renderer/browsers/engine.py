"""The browsers behind a synchronous call: their event loop runs in a thread of its own.

The idempotency utility drives synchronous functions only, and the batch processor may run each invocation on another
loop; a warm browser is tied to the loop that it was started on.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

from stillframe.clock import Deadline, SystemClock
from stillframe.errors import BrowserCrashed, BrowserUnavailable, CaptureTimeout
from stillframe.image.render_result import RenderResult
from stillframe.request.options import RenderOptions

from ..chromium.memory import DEFAULT_MB, DEFAULT_WORKER_MB
from ..guard.server import EgressGuard
from ..load.free_memory import FreeMemory
from ..load.machine import memory_is_short, own_memory_bytes
from .memory_watch import MemoryWatch
from .pool import BrowserPool, Launcher

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Closing a tab and killing a browser are bounded as well; beyond this time the loop itself is stuck.
GRACE_SECONDS = 12
STOP_SECONDS = 10
# Launching and opening a tab are bounded as well.
START_SECONDS = 60
# A reserved name (RFC 6761, 6.4): nothing is requested from it.
CHECK_URL = "http://check.invalid/"
CHECK_OPTIONS = RenderOptions.parse(
    {"html": "<p>ready</p>", "offline": True, "viewport": {"width": 64, "height": 48}, "timeoutMs": 10_000}
)
# After a crash, for a browser that only lives for a second or two.
PATIENT_CHECK_OPTIONS = CHECK_OPTIONS.model_copy(update={"delay_ms": 3000})
CHECK_SECONDS = 30


class RenderEngine:
    """Renders pages from any thread. Nothing is started before the first call."""

    def __init__(
        self,
        launch: Launcher,
        guard: EgressGuard,
        max_browser_mb: int = DEFAULT_MB,
        max_worker_mb: int = DEFAULT_WORKER_MB,
        free_memory: FreeMemory | None = None,
    ) -> None:
        self._launch = launch
        self._guard = guard
        self._memory = MemoryWatch(max_browser_mb << 20, free_memory or FreeMemory())
        self._own_memory_limit = max_worker_mb << 20
        self._start_lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._browser: BrowserPool | None = None
        self._warming_up: concurrent.futures.Future[None] | None = None
        # Whether the last capture to end has crashed the browser. Captures on other threads may end at the same time.
        self._has_crashed = False

    def render(self, url: str, options: RenderOptions, deadline: Deadline) -> RenderResult:
        """Render a page before the deadline. Raises a CaptureError."""
        browser = self._started()
        future = self._submit(browser.capture(url, options, deadline))
        try:
            result = future.result(deadline.remaining_seconds() + GRACE_SECONDS)
            self._has_crashed = False
            return result
        except BrowserCrashed:
            self._has_crashed = True
            raise
        except concurrent.futures.TimeoutError as error:
            future.cancel()
            raise CaptureTimeout("the capture did not end before the job's deadline") from error
        except concurrent.futures.CancelledError as error:
            self._has_crashed = True
            raise BrowserCrashed("the browser was ended during the capture") from error

    def begin_warm_up(self) -> None:
        """Begin to start the browser and to open a tab. `warm_up` waits for it, and raises what it has met."""
        self._warming_up = self._submit(self._started().warm_up())

    def warm_up(self) -> None:
        """Start the browser and open a tab, ahead of the first page. Raises BrowserUnavailable if it cannot."""
        warming_up, self._warming_up = self._warming_up, None
        try:
            (warming_up or self._submit(self._started().warm_up())).result(START_SECONDS)
        except concurrent.futures.TimeoutError as error:
            raise BrowserUnavailable("the browser did not start in time") from error

    def check(self) -> None:
        """Capture a page of this worker's own, which needs no network. Raises a CaptureError if that fails."""
        self.warm_up()
        clock = SystemClock()
        options = PATIENT_CHECK_OPTIONS if self._has_crashed else CHECK_OPTIONS
        self.render(CHECK_URL, options, Deadline(clock.now_ms() + CHECK_SECONDS * 1000, clock))

    def cpu_seconds(self) -> float:
        """CPU time of this process and of every browser it has had."""
        browser = self._browser
        return time.process_time() + (browser.cpu_seconds() if browser is not None else 0.0)

    def memory_share(self) -> float:
        """The memory of the browser, or of this process, as a share of its limit, whichever is more.

        1 when the machine itself is short of memory. Fewer captures run at once when it is high.
        """
        if memory_is_short():
            return 1.0
        of_browser = self._browser.memory_share if self._browser is not None else 0.0
        return max(of_browser, own_memory_bytes() / self._own_memory_limit)

    def kill_now(self) -> None:
        """Kill every browser at once, for a process that is about to end itself."""
        if self._browser is not None:
            self._browser.kill_now()

    def close(self) -> None:
        """End the browsers and their thread. Idempotent."""
        with self._start_lock:
            loop, self._loop = self._loop, None
        if loop is None or self._browser is None or self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(_end_all(self._browser), loop).result(STOP_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join(STOP_SECONDS)
        loop.close()

    def _started(self) -> BrowserPool:
        with self._start_lock:
            if self._loop is None:
                self._loop = uvloop.new_event_loop()
                self._loop.set_exception_handler(_on_loop_error)
                self._thread = threading.Thread(target=self._loop.run_forever, name="browser", daemon=True)
                self._thread.start()
                self._browser = BrowserPool(self._launch, self._guard, self._memory)
        assert self._browser is not None
        return self._browser

    def _submit(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop)


async def _end_all(browser: BrowserPool) -> None:
    """End the browsers, then the tasks that the driver has left behind."""
    await browser.close()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_default_executor()


def _on_loop_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """pyppeteer starts tasks that nobody awaits; their errors surface in the calls as well."""
    logger.debug("browser loop: %s", context.get("message"), extra={"error": str(context.get("exception"))})
