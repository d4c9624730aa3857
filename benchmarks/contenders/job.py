"""What a contender is told on its standard input, and how it tells what it did."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass

WIDTH, HEIGHT = 1280, 800


@dataclass(frozen=True, slots=True)
class Job:
    """Pages to be captured as PNG once they have loaded, so many at once, with a browser binary."""

    chromium: str
    urls: list[str]
    tabs: int

    @classmethod
    def read(cls) -> Job:
        return cls(**json.loads(sys.stdin.readline()))


def done(url: str, started: float, size: int) -> None:
    """One line for each capture; whoever reads it looks at the clock."""
    line = {"url": url, "ms": round((time.monotonic() - started) * 1000), "bytes": size, "fullPage": is_full_page(url)}
    # In one piece: lines of several threads would run into each other.
    os.write(sys.stdout.fileno(), f"{json.dumps(line)}\n".encode())


def is_full_page(url: str) -> bool:
    """Whether all of a page is pictured: of the tall one."""
    return url.partition("?")[0].endswith("/tall")
