"""The protocol of contenders: a job on standard input, a line per capture on standard output."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass

WIDTH, HEIGHT = 1280, 800


@dataclass(frozen=True, slots=True)
class Job:
    """Pages to capture as PNG once they have loaded, `tabs` at once, with this browser."""

    chromium: str
    urls: list[str]
    tabs: int

    @classmethod
    def read(cls) -> Job:
        """Read the job from standard input."""
        return cls(**json.loads(sys.stdin.readline()))


def report_capture(url: str, started: float, size: int) -> None:
    """Print a line about a capture. The harness notes the time at which it arrives."""
    line = {"url": url, "ms": round((time.monotonic() - started) * 1000), "bytes": size, "fullPage": is_full_page(url)}
    # In one write, because lines of several threads would be mixed up.
    os.write(sys.stdout.fileno(), f"{json.dumps(line)}\n".encode())


def is_full_page(url: str) -> bool:
    """Whether a page is captured at full height: only the tall one is."""
    return url.partition("?")[0].endswith("/tall")
