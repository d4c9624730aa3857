"""How a worker ends when it is told to: in time, whatever it is waiting for."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable

from stillframe_renderer.runtime import Runtime

logger = logging.getLogger("stillframe.consumer")

# After the grace period, aborted captures hand their messages back within this time; then the process ends itself.
HAND_BACK_SECONDS = 10.0
FAILED = 1


class Shutdown:
    """Waits for SIGTERM or SIGINT, then starts no more captures, and aborts those that run after the grace period.

    The claims of aborted captures are released, and their messages go back to the queue. If AWS does not answer even
    then, the process ends with status 1: the messages come back after their visibility timeout. `finish_log` writes
    what is left of the log, within a number of seconds.
    """

    def __init__(self, grace_seconds: float, finish_log: Callable[[float], None]) -> None:
        self._grace_seconds = grace_seconds
        self._finish_log = finish_log
        self._finished = threading.Event()
        self.stop = threading.Event()
        # The worker, once there is one.
        self.runtime: Runtime | None = None
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stop.set())
        threading.Thread(target=self._run, name="stop", daemon=True).start()

    def finish(self) -> None:
        """Say that the worker has ended by itself."""
        self._finished.set()

    def _run(self) -> None:
        self.stop.wait()
        if self.runtime is not None:
            self.runtime.handler.stop()
        if self._finished.wait(self._grace_seconds):
            return
        logger.warning("the grace period is over; running captures go back to the queue")
        if self.runtime is not None:
            # In a thread of its own: a browser that hangs must not prevent the end.
            threading.Thread(target=self.runtime.engine.close, name="abort", daemon=True).start()
        if self._finished.wait(HAND_BACK_SECONDS):
            return
        logger.error("AWS does not answer; the process ends, and its messages come back after their visibility timeout")
        if self.runtime is not None:
            self.runtime.engine.kill_now()
        self._finish_log(1.0)
        os._exit(FAILED)
