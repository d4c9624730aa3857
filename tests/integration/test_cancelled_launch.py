"""A launch whose capture has no time left, at whatever point that is."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
import uvloop

from stillframe_renderer.chromium import browser
from stillframe_renderer.chromium.browser import Chromium
from stillframe_renderer.chromium.start import Started, start
from tests.support.processes import members_of

# More turns of the event loop than it takes to connect to the pipes.
TURNS = 12


def open_descriptors() -> set[str]:
    # The one that lists them is closed by then.
    return {path.name for path in Path("/proc/self/fd").iterdir() if path.is_symlink()}


@pytest.mark.parametrize("turns", range(TURNS))
def test_a_launch_that_is_cancelled_leaves_nothing(chromium: str, monkeypatch: pytest.MonkeyPatch, turns: int) -> None:
    # Given a launch that is under way
    started: list[Started] = []

    def recorded(executable: str, environment: Mapping[str, str] | None) -> Started:
        started.append(start(executable, environment))
        return started[-1]

    async def cancel_launch() -> set[str]:
        # What the event loop opens at its first use stays open
        await (await Chromium.launch(chromium)).kill()
        started.clear()
        before = open_descriptors()
        launch = asyncio.create_task(Chromium.launch(chromium))
        for _ in range(turns):
            await asyncio.sleep(0)
        # When it is cancelled
        launch.cancel()
        # Then it ends as cancelled
        with pytest.raises(asyncio.CancelledError):
            await launch
        await asyncio.sleep(0)
        return open_descriptors() - before

    monkeypatch.setattr(browser, "start", recorded)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        left = runner.run(cancel_launch())
    # And neither descriptors nor processes nor the profile are left
    assert not left
    for each in started:
        assert members_of(each.spawned.group.pid) == []
        assert not Path(each.profile.path).exists()
