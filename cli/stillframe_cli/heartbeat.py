"""A consumer's sign of life in a file, for the health check of its container.

    python3 -m stillframe_cli.heartbeat

exits with status 1 when the consumer cannot work, or has not received for too long. It imports nothing of the rest,
because it is called every half a minute.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

# The environment variable that names the file.
VARIABLE = "STILLFRAME_HEARTBEAT"
BEAT_SECONDS = 5.0
# Longer than the longest pause of a worker that cannot work, and the checks after it while AWS is silent.
MAX_AGE_SECONDS = 180


class Heartbeat:
    """Writes the file: empty while all is well, else the reason why the worker cannot work."""

    def __init__(self, path: Path | None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._monotonic = monotonic
        self._last: tuple[str, float] | None = None

    @classmethod
    def from_environment(cls) -> Heartbeat:
        """The file that STILLFRAME_HEARTBEAT names; without it, nothing is written."""
        name = os.environ.get(VARIABLE)
        return cls(Path(name) if name else None)

    def begin(self) -> None:
        """Write it for the first time. Raises OSError if that is impossible: nobody would learn how the worker is."""
        if self._path is not None:
            self._write("")

    def beat(self, reason: str = "") -> None:
        """Write the file if it has changed or is old. A disk that is full leaves it to grow too old."""
        now = self._monotonic()
        is_fresh = self._last is not None and self._last[0] == reason and now - self._last[1] < BEAT_SECONDS
        if self._path is None or is_fresh:
            return
        with contextlib.suppress(OSError):
            self._write(reason)
            self._last = (reason, now)

    def _write(self, reason: str) -> None:
        """Replace it as a whole: the health check never reads half of it."""
        assert self._path is not None
        part = self._path.with_name(f"{self._path.name}.part")
        part.write_text(reason)
        part.replace(self._path)


def problem_of(path: Path, now: float) -> str | None:
    """Why the consumer of this file is unhealthy. None if it is not, or if there is no consumer."""
    try:
        reason, age = path.read_text(), now - path.stat().st_mtime
    except FileNotFoundError:
        return None
    if reason:
        return reason
    return f"the consumer has given no sign of life for {age:.0f} s" if age > MAX_AGE_SECONDS else None


def main() -> int:
    """Print what is wrong. Returns the exit status that Docker and ECS expect: 0 healthy, 1 unhealthy."""
    name = os.environ.get(VARIABLE)
    problem = problem_of(Path(name), time.time()) if name else None
    print(problem or "healthy")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
