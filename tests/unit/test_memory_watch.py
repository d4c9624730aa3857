"""When the browsers are measured, without a browser."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest

from stillframe_renderer.browsers import memory_watch
from stillframe_renderer.browsers.memory_watch import MemoryWatch
from stillframe_renderer.chromium.memory import Usage
from stillframe_renderer.load.free_memory import FreeMemory

PATIENCE_SECONDS = 5


class MeasuredMemory:
    """A browser's memory that is never too much. Counts how often it is measured."""

    def __init__(self) -> None:
        self.last = Usage({}, 0)
        self.measurements = 0

    def measure(self) -> Usage:
        self.measurements += 1
        return self.last

    def kept(self, _: Usage) -> int:
        return 0


def set_free(proc: Path, megabytes: int) -> None:
    # In place, because the file is open; padded, because it must not become shorter.
    with (proc / "meminfo").open("r+") as file:
        file.write(f"MemTotal: {4096 * 1024:>12} kB\nMemAvailable: {megabytes * 1024:>12} kB\n")


def test_the_browsers_are_measured_as_soon_as_less_memory_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        # Given a capture, a machine with 2048 MB left, and browsers that were measured and need not be for an hour
        monkeypatch.setattr(memory_watch, "MEASURE_SECONDS", -1)
        (tmp_path / "meminfo").touch()
        set_free(tmp_path, 2048)
        memory = MeasuredMemory()
        chromium = Mock(memory=memory, used_up_memory=False)
        watch = MemoryWatch(1 << 30, FreeMemory(None, tmp_path, tmp_path))
        with watch.watched(Mock(chromium=chromium)):
            await until(lambda: memory.measurements > 0)
            monkeypatch.setattr(memory_watch, "MEASURE_SECONDS", 3600)
            await asyncio.sleep(2 * memory_watch.MAX_LOOK_SECONDS)
            measured = memory.measurements
            # When 200 MB of it are filled
            set_free(tmp_path, 1848)
            # Then they are measured again
            await until(lambda: memory.measurements > measured)

    asyncio.run(scenario())


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():
            await asyncio.sleep(0.01)
