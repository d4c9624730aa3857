"""What `stillframe serve` does for watches again and again, beside everything else."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from stillframe.errors import CaptureError
from stillframe_notifier.digester import DigestsUnsent

logger = logging.getLogger("stillframe.watches")

SCHEDULE_SECONDS = 2.0
DIGEST_SECONDS = 300.0
# A tick that takes longer ends with the process: whatever it has not done, the next one does.
JOIN_SECONDS = 5.0


@contextlib.contextmanager
def ticking(tick: Callable[[], object], pause_seconds: float) -> Iterator[None]:
    """Call `tick` in a thread, with pauses, until the block ends. An error is logged, and the next tick tries again."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(pause_seconds):
            try:
                tick()
            except (CaptureError, DigestsUnsent, ClientError, BotoCoreError) as error:
                logger.warning("the watches: %s", error)
            except Exception:
                # Without this thread, nobody would send any period, or say so.
                logger.exception("the watches met an unexpected error")

    thread = threading.Thread(target=run, name="watches", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(JOIN_SECONDS)
