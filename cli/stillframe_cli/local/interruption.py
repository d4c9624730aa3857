"""Ctrl-C during a run: what has begun may finish, nothing else begins, and a second Ctrl-C ends it at once."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from stillframe_renderer.runtime import Runtime

from ..console import print_note

EXIT_STATUS = 130
# Captures that take longer are aborted.
GRACE_SECONDS = 15.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """A context in which SIGINT and SIGTERM end a run in an orderly way. `came` says whether there was one."""

    def __init__(self) -> None:
        self._count = 0
        self._came = threading.Event()
        self._runtime: Runtime | None = None
        self._stop: threading.Event | None = None
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        for number in SIGNALS:
            self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    @property
    def came(self) -> bool:
        """Whether somebody wants the run to end."""
        return self._count > 0

    def wait(self, seconds: float) -> None:
        """Wait for so long, or until somebody wants the run to end."""
        self._came.wait(seconds)

    def attach(self, runtime: Runtime, stop: threading.Event) -> None:
        """Name the worker that must start no more captures, and the event that ends its loop."""
        self._runtime, self._stop = runtime, stop
        if self.came:
            self._stop_soon()

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self._count += 1
        if self._count > 2:
            os._exit(EXIT_STATUS)
        # Locks must not be taken in a handler: it runs on the main thread, which may hold them.
        threading.Thread(target=self._abort if self._count == 2 else self._stop_soon, daemon=True).start()

    def _stop_soon(self) -> None:
        self._came.set()
        if self._runtime is None or self._stop is None:
            return
        print_note("Stopping: the captures that have begun are finished first. Press Ctrl-C again to abort them.")
        self._stop.set()
        self._runtime.handler.stop()
        timer = threading.Timer(GRACE_SECONDS, self._abort)
        timer.daemon = True
        timer.start()

    def _abort(self) -> None:
        if self._runtime is not None:
            self._runtime.engine.close()
