"""The browser that is started before its worker is imported, and while the worker connects to AWS."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from stillframe.errors import BrowserUnavailable
from stillframe_renderer import handler as entry
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium import start
from stillframe_renderer.chromium.browser import Chromium
from tests.conftest import MakeCloud
from tests.support.workers import wait_for


@pytest.fixture
def ahead(chromium: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[start.Started]:
    """The browser of these tests, started ahead."""
    monkeypatch.setenv("STILLFRAME_CHROMIUM", chromium)
    start.start_ahead()
    (started,) = start._ahead
    yield started
    start._ahead.clear()
    started.spawned.group.kill()
    started.spawned.group.reap()
    started.profile.remove()


async def pid_of_launch(executable: str) -> int:
    """Launch a browser and end it; returns its process id."""
    browser = await Chromium.launch(executable)
    await browser.kill()
    return browser.pid


def test_the_first_launch_takes_the_browser_that_was_started_ahead(chromium: str, ahead: start.Started) -> None:
    # Given a second head start, which changes nothing
    start.start_ahead()
    # When two browsers are launched
    pids = [asyncio.run(pid_of_launch(chromium)) for _ in range(2)]
    # Then the first is the one that was started ahead, and the second another one
    assert pids[0] == ahead.spawned.group.pid != pids[1]


def test_a_browser_of_another_executable_is_not_taken(chromium: str, ahead: start.Started, tmp_path: Path) -> None:
    (tmp_path / "chromium").write_text(f'#!/bin/sh\nexec {chromium} "$@"\n')
    (tmp_path / "chromium").chmod(0o755)
    assert asyncio.run(pid_of_launch(str(tmp_path / "chromium"))) != ahead.spawned.group.pid


def test_a_browser_that_died_meanwhile_is_reported_once(chromium: str, ahead: start.Started) -> None:
    # Given a browser that ended between its start and its launch
    os.kill(ahead.spawned.group.pid, signal.SIGKILL)
    os.waitpid(ahead.spawned.group.pid, 0)
    # When it is launched, then that is said
    with pytest.raises(BrowserUnavailable):
        asyncio.run(pid_of_launch(chromium))
    # And the next launch starts another one
    assert asyncio.run(pid_of_launch(chromium))


def test_nothing_is_started_where_there_is_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STILLFRAME_CHROMIUM", "/nowhere/chromium")
    start.start_ahead()
    assert start._ahead == []


def test_a_worker_without_its_queue_leaves_no_browser(
    make_cloud: MakeCloud, chromium: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a function whose queue does not exist
    cloud = make_cloud()
    exports = {**cloud.exports, "QUEUE_URL": f"{cloud.exports['QUEUE_URL']}-gone", "STILLFRAME_CHROMIUM": chromium}
    for name, value in exports.items():
        monkeypatch.setenv(name, value)
    begun: list[RenderEngine] = []
    begin = RenderEngine.begin_warm_up

    def remember(engine: RenderEngine) -> None:
        begun.append(engine)
        begin(engine)

    monkeypatch.setattr(RenderEngine, "begin_warm_up", remember)
    entry.worker.cache_clear()
    before = children()
    # When its initialisation fails
    with pytest.raises(ClientError, match="NonExistentQueue"):
        entry.worker()
    # Then the browser that was about to start is gone with it
    assert len(begun) == 1
    wait_for(lambda: children() <= before)


def children() -> set[str]:
    """The child processes of this one, zombies included (proc(5))."""
    return {pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}
