"""The CPU time of a real browser is seen, children and ended ones included."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from stillframe.errors import BrowserCrashed
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium.cpu import GroupCpu
from stillframe_renderer.chromium.members import Members
from stillframe_renderer.load.metering import Meter
from tests.support.rendering import local_engine, render
from tests.support.serving import QuietHandler, serving

BUSY_SECONDS = 1.5
BUSY = f"const end = performance.now() + {BUSY_SECONDS * 1000}; while (performance.now() < end);"


class Pages(QuietHandler):
    def do_GET(self) -> None:
        self.answer(200, f"<p>page</p><script>{BUSY if self.path == '/busy' else ''}</script>".encode())


def test_what_a_page_computes_is_on_its_account(chromium: str) -> None:
    # Given a page that computes for a while, and one that does not
    with serving(Pages) as site, local_engine(chromium, site) as engine:
        render(engine, f"http://{site}/idle")
        meter = Meter(engine.cpu_seconds, 2048)
        # When each is captured
        with meter.account() as light:
            render(engine, f"http://{site}/idle")
        with meter.account() as heavy:
            render(engine, f"http://{site}/busy")
    # Then what it computed is what it is charged with, and the time that it took
    assert heavy.cpu_seconds - light.cpu_seconds == pytest.approx(BUSY_SECONDS, rel=0.3)
    assert heavy.billed_seconds >= BUSY_SECONDS


def test_the_time_of_a_browser_that_ended_is_kept(chromium: str, site: str) -> None:
    with local_engine(chromium, site) as engine:
        render(engine, f"http://{site}/colour?hex=00aa00")
        before = engine.cpu_seconds()
        # When the browser dies, and another takes its place
        assert engine._browser is not None
        _kill(next(iter(engine._browser._users)).pid)
        _render_again(engine, f"http://{site}/colour?hex=00aa00")
        # Then nothing of the first one's time is gone
        assert engine.cpu_seconds() >= before


def test_a_group_that_is_not_there_took_nothing() -> None:
    pid_max = int(Path("/proc/sys/kernel/pid_max").read_text())
    assert GroupCpu(Members(pid_max + 1)).seconds() == 0.0


def _kill(pid: int) -> None:
    os.killpg(pid, signal.SIGKILL)
    time.sleep(0.2)


def _render_again(engine: RenderEngine, url: str) -> None:
    for _ in range(3):
        try:
            render(engine, url)
        except BrowserCrashed:
            continue
        return
    pytest.fail("the browser did not come back")
