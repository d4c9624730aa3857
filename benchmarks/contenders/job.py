"""The protocol of contenders: a job on standard input, a line per capture on standard output."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

WIDTH, HEIGHT = 1280, 800


@dataclass(frozen=True, slots=True)
class Job:
    """Pages to capture as PNG, `tabs` at once, with this browser.

    Each is captured once it has loaded; with a `folder`, once it is ready as the contender itself understands that, and
    stored there as 0.png, 1.png and so on.
    """

    chromium: str
    urls: list[str]
    tabs: int
    folder: str | None = None
    timeout_ms: int = 60_000

    @classmethod
    def read(cls) -> Job:
        """Read the job from standard input."""
        return cls(**json.loads(sys.stdin.readline()))

    def store(self, url: str, data: bytes) -> None:
        """Store an image, if the job asks for that."""
        if self.folder is not None:
            (Path(self.folder) / f"{self.urls.index(url)}.png").write_bytes(data)


def report_capture(url: str, started: float, size: int) -> None:
    """Print a line about a capture. The harness notes the time at which it arrives."""
    line = {"url": url, "ms": round((time.monotonic() - started) * 1000), "bytes": size, "fullPage": is_full_page(url)}
    # In one write, because lines of several threads would be mixed up.
    os.write(sys.stdout.fileno(), f"{json.dumps(line)}\n".encode())


def is_full_page(url: str) -> bool:
    """Whether a page is captured at full height: the tall one is, and one whose query says so."""
    path, _, query = url.partition("?")
    return path.endswith("/tall") or query == "full"
