"""The handler that the container image names. Importing it builds the worker and starts its browser.

Both thus happen while Lambda initialises the function, with a full CPU, and the first event finds a warm browser.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from .handler import handler, worker

__all__ = ["handler"]


def _process_age_ms() -> int:
    """Milliseconds since this process started (proc(5): field 22, in clock ticks since boot)."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return round((time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")) * 1000)


_logger, _runtime = worker()
_runtime.engine.warm_up()
_logger.info("worker ready", extra={"importMs": _process_age_ms()})
