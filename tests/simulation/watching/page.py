"""A page that changes at times that a seed decides, and the browser that shows it."""

from __future__ import annotations

import bisect
import functools
import io
import random
import re
from typing import Any

from PIL import Image

from ..browser import SimulatedBrowser
from ..scheduler import Scheduler

# Far apart, so that no two versions of the page look alike.
COLORS = ("#ffffff", "#c00000", "#00a000", "#0000c0", "#c0c000", "#00c0c0", "#c000c0", "#000000")
SHOWN = re.compile(rb"shown (\d+) at (\d+) ")


class WatchedPage:
    """`changes` are the times of its changes in order, in milliseconds of true time."""

    def __init__(self, seed: int, begins_ms: int, ends_ms: int) -> None:
        rng = random.Random(f"page of {seed}")
        count = rng.randint(0, len(COLORS) - 1)
        self.changes = sorted(rng.randint(begins_ms, ends_ms) for _ in range(count))

    def version_at(self, at_ms: int) -> int:
        """How often the page has changed."""
        return bisect.bisect_right(self.changes, at_ms)


class WatchingBrowser(SimulatedBrowser):
    """Shows the page as it is at the end of the render, in an image that says which version it is, and when."""

    def __init__(self, page: WatchedPage, scheduler: Scheduler, *others: Any) -> None:
        super().__init__(scheduler, *others)
        self._page = page

    def _shown(self) -> bytes:
        now_ms = self._scheduler.now_ms
        version = self._page.version_at(now_ms)
        return _png(version) + f"shown {version} at {now_ms} ".encode()


def shown_in(image: bytes) -> tuple[int, int]:
    """Which version of the page an image shows, and when it was taken."""
    found = SHOWN.search(image)
    assert found is not None, "no image of a watched page"
    return int(found[1]), int(found[2])


@functools.cache
def _png(version: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), COLORS[version]).save(buffer, "PNG")
    return buffer.getvalue()
