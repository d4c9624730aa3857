"""The CPU time of a real browser is measured, including that of its children and of browsers that have ended."""

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


@pytest.mark.alone
def test_a_page_is_charged_for_its_cpu_time(chromium: str) -> None:
    # Given a page that computes for a while, and a page that does not
    with serving(Pages) as site, local_engine(chromium, site) as engine:
        render(engine, f"http://{site}/idle")
        meter = Meter(engine.cpu_seconds, 2048)
        # When each is captured
        with meter.account() as light:
            render(engine, f"http://{site}/idle")
        with meter.account() as heavy:
            render(engine, f"http://{site}/busy")
    # Then the first is charged for its CPU time and its duration
    assert heavy.cpu_seconds - light.cpu_seconds == pytest.approx(BUSY_SECONDS, rel=0.3)
    assert heavy.billed_seconds >= BUSY_SECONDS


def test_the_cpu_time_of_an_ended_browser_is_kept(chromium: str, site: str) -> None:
    with local_engine(chromium, site) as engine:
        render(engine, f"http://{site}/colour?hex=00aa00")
        before = engine.cpu_seconds()
        # When the browser dies, and another takes its place
        assert engine._browser is not None
        _kill(next(iter(engine._browser._users)).pid)
        _render_again(engine, f"http://{site}/colour?hex=00aa00")
        # Then the CPU time of the first browser is still counted
        assert engine.cpu_seconds() >= before


def test_an_absent_process_group_has_used_no_cpu_time() -> None:
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
