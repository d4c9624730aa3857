"""The handler that the container image names: its worker is built, and its browser started, before the first event.

Lambda gives the initialisation a full CPU, and a browser that is warm by then costs the first event nothing.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from .handler import handler, worker

__all__ = ["handler"]


def _process_age_ms() -> int:
    """Milliseconds since this process was started (proc(5): field 22, in clock ticks since boot)."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return round((time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")) * 1000)


_logger, _runtime = worker()
_runtime.engine.warm_up()
_logger.info("worker ready", extra={"importMs": _process_age_ms()})
