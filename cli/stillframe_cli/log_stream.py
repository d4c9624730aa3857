"""A stream for logs and metrics that never blocks and never fails, whoever reads it, or nobody.

A worker must not stop capturing because a log driver is slow, a disk is full, or the reader of a pipe has ended.
"""

from __future__ import annotations

import io
import logging
import os
import threading
import time
from typing import IO

logger = logging.getLogger("stillframe.consumer")

# What waits to be written; beyond it, lines are dropped.
MAX_PENDING_BYTES = 4 << 20
# Pause before a full pipe in non-blocking mode is tried again.
RETRY_SECONDS = 0.05


class LogStream(io.TextIOBase):
    """Writes in a thread of its own. What cannot be written is dropped, and the number of lines is logged later on."""

    def __init__(self, stream: IO[str] | None) -> None:
        """`stream` is the standard output or error; None if this process has none."""
        self._is_terminal = stream is not None and stream.isatty()
        self._fd = stream.fileno() if stream is not None else -1
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._dropped = 0
        self._changed = threading.Condition()
        self._is_closing = False
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def isatty(self) -> bool:
        return self._is_terminal

    def fileno(self) -> int:
        return self._fd

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        data = text.encode(errors="backslashreplace")
        with self._changed:
            if self._pending_bytes + len(data) > MAX_PENDING_BYTES:
                self._dropped += text.count("\n")
            else:
                self._pending.append(data)
                self._pending_bytes += len(data)
                self._changed.notify()
        return len(text)

    def finish(self, seconds: float) -> None:
        """Write what is pending, for at most this long, and stop. Idempotent."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(seconds)

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._is_closing)
                if not self._pending:
                    return
                data, self._pending, self._pending_bytes = b"".join(self._pending), [], 0
            is_written = self._write(data)
            with self._changed:
                dropped, self._dropped = (self._dropped, 0) if is_written else (0, self._dropped + data.count(b"\n"))
            if dropped:
                logger.warning("log lines were dropped: nothing took them", extra={"lines": dropped})

    def _write(self, data: bytes) -> bool:
        """Write everything. Returns whether that was possible."""
        while data:
            try:
                data = data[os.write(self._fd, data) :]
            except BlockingIOError:
                time.sleep(RETRY_SECONDS)
            except OSError:
                return False
        return True
