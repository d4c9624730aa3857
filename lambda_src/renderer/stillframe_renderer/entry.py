"""The handler that the container image names. Importing it builds the worker and starts its browser.

Both thus happen while Lambda initialises the function, with a full CPU, and the first event finds a warm browser.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .chromium.start import start_ahead
from .chromium.zygote import TRIAL

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
    from aws_lambda_powertools.utilities.typing import LambdaContext

__all__ = ["handler"]


def _process_age_ms() -> int:
    """Milliseconds since this process started (proc(5): field 22, in clock ticks since boot)."""
    ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    return round((time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")) * 1000)


def _initialize() -> Callable[[dict[str, Any], LambdaContext], PartialItemFailureResponse]:
    """Build the worker and start its browser; returns the handler. Raises what either raises."""
    # Importing makes next to no garbage, and searching for it takes a tenth of the time.
    gc.disable()
    start_ahead()
    from .handler import handler, worker

    try:
        logger, runtime = worker()
        runtime.engine.warm_up()
    except BaseException:
        # Whatever it was, the zygote has not been found to fail.
        TRIAL.forget()
        raise
    logger.info("worker ready", extra={"importMs": _process_age_ms()})
    return handler


handler = _initialize()
