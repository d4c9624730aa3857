"""What a worker needs to capture, checked without a message and without leaving anything behind."""

from __future__ import annotations

import tempfile
from collections.abc import Callable

from stillframe.errors import WorkerFault
from stillframe.image.store import ImageStore
from stillframe.queue import CaptureQueue
from stillframe.table.table import Table
from stillframe.worker_faults import worker_fault

# A profile of the browser takes more, but a full disk refuses even this.
TEMPORARY_BYTES = 1 << 20


class WorkerChecks:
    """Temporary directory, browser, table, bucket and queue, in this order: what is local comes first."""

    def __init__(
        self, check_browser: Callable[[], None], table: Table, images: ImageStore, queue: CaptureQueue
    ) -> None:
        self._check_browser = check_browser
        self._table = table
        self._images = images
        self._queue = queue

    def __call__(self) -> None:
        """Raise the CaptureError of the first thing that is missing. Costs three AWS calls, which change nothing."""
        check_temporary_directory()
        self._check_browser()
        self._table.check()
        self._images.check()
        self._queue.check()


def check_temporary_directory() -> None:
    """Write a temporary file. Raises WorkerFault when that fails."""
    try:
        with tempfile.TemporaryFile() as file:
            file.write(bytes(TEMPORARY_BYTES))
            file.flush()
    except OSError as error:
        raise worker_fault(error) or WorkerFault(f"the temporary directory cannot be written: {error}") from error
