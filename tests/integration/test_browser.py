"""The browser as a process: killed, crashed, replaced, and with nothing of ours in its environment."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from stillframe.egress.policy import EgressPolicy
from stillframe.errors import BrowserCrashed
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium.browser import Chromium
from stillframe_renderer.guard.server import EgressGuard
from tests.support.pixels import GREEN, Pixels
from tests.support.processes import Launches, processes_of
from tests.support.rendering import outcome_of, refusal, render
from tests.support.workers import SOURCE_PATH


def test_a_killed_browser_is_replaced(chromium: str, site: str) -> None:
    # Given an engine of its own, warm
    launches = Launches(chromium)
    running = launches.browsers
    engine = RenderEngine(launches, EgressGuard(EgressPolicy.of([site])))
    try:
        render(engine, f"http://{site}/colour?hex=00aa00")
        # When its browser is killed between two captures
        os.killpg(running[0].pid, signal.SIGKILL)
        time.sleep(0.2)
        # Then the next capture is right, on another browser
        assert Pixels(render(engine, f"http://{site}/colour?hex=00aa00").data).is_all(GREEN)
        assert len(running) == 2
        # When it is killed in mid-capture
        with ThreadPoolExecutor(1) as pool:
            capture = pool.submit(refusal, engine, f"http://{site}/slow?seconds=5")
            time.sleep(0.7)
            os.killpg(running[1].pid, signal.SIGKILL)
            # Then that capture says so at once
            assert capture.result(3).code == "BROWSER_CRASHED"
        assert Pixels(render(engine, f"http://{site}/colour?hex=00aa00").data).is_all(GREEN)
    finally:
        engine.close()
    # And nothing is left of any of the three
    assert len(running) == 3
    assert launches.alive == []


@pytest.mark.parametrize("kind", ["renderer", "gpu-process"])
def test_a_crashed_process_fails_its_captures_at_most_and_the_next_one_is_right(
    chromium: str, site: str, kind: str
) -> None:
    # Given an engine of its own in mid-capture
    launches = Launches(chromium)
    running = launches.browsers
    engine = RenderEngine(launches, EgressGuard(EgressPolicy.of([site])))
    try:
        with ThreadPoolExecutor(1) as pool:
            capture = pool.submit(outcome_of, engine, f"http://{site}/colour?hex=00aa00", delayMs=3000)
            time.sleep(1.5)
            # When one of its processes dies, and the browser lives on
            killed = [each for each in processes_of(running[0]) if f"--type={kind}" in (each / "cmdline").read_text()]
            for process in killed:
                os.kill(int(process.name), signal.SIGKILL)
            outcome = capture.result(15)
        # Then the capture says so at once, or the browser has replaced the process and it is right
        assert killed
        if kind == "renderer":
            assert (getattr(outcome, "code", ""), "renderer" in str(outcome)) == ("BROWSER_CRASHED", True)
            assert len(running) == 1
        else:
            assert isinstance(outcome, BrowserCrashed) or Pixels(outcome.data).is_all(GREEN)  # type: ignore[union-attr]
        # And the next capture is right
        assert Pixels(render(engine, f"http://{site}/colour?hex=00aa00").data).is_all(GREEN)
    finally:
        engine.close()


def test_the_browser_gets_an_empty_environment_and_its_own_profile(
    chromium: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a credential in our environment
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "do-not-leak")
    launches = Launches(chromium)
    running = launches.browsers
    engine = RenderEngine(launches, EgressGuard(EgressPolicy()))
    engine.warm_up()
    while not running:
        time.sleep(0.05)
    # Then the browser has no variable at all, and nothing of ours is in the environment of its children
    try:
        environments = {each.name: (each / "environ").read_bytes() for each in processes_of(running[0])}
        assert environments[str(running[0].pid)] == b""
        assert len(environments) >= 2
        everything = b"\0".join(environments.values())
        assert [name for name, value in os.environ.items() if f"{name}={value}".encode() in everything] == []
        profile = running[0]._profile.path
        assert profile.exists()
    finally:
        engine.close()
    # And the profile goes with it
    assert not profile.exists()


def test_a_browser_is_replaced_after_so_many_captures(
    chromium: str, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a browser that is good for two captures
    monkeypatch.setattr("stillframe_renderer.browsers.pool.CAPTURES_PER_BROWSER", 2)
    launches = Launches(chromium)
    running = launches.browsers
    engine = RenderEngine(launches, EgressGuard(EgressPolicy.of([site])))
    try:
        # When five pages are captured
        shots = [render(engine, f"http://{site}/colour?hex=00aa00") for _ in range(5)]
    finally:
        engine.close()
    # Then it took three browsers, every picture is right, and none of them is left
    assert all(Pixels(shot.data).is_all(GREEN) for shot in shots)
    assert len(running) == 3
    assert launches.alive == []


def test_a_child_of_the_same_user_cannot_read_the_workers_environment() -> None:
    # Given a worker that closed itself, as an ordinary user, with a secret in its environment
    script = (
        "import ctypes, os, subprocess\n"
        "from stillframe_renderer.process_setup import make_undumpable\n"
        "os.getuid() or os.setuid(65534)\n"
        # Changing the user has closed it already; a worker that was started as that user is open.
        "ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)\n"
        "before = subprocess.run(['cat', f'/proc/{os.getpid()}/environ'], capture_output=True).stdout\n"
        "make_undumpable()\n"
        "after = subprocess.run(['cat', f'/proc/{os.getpid()}/environ'], capture_output=True).stdout\n"
        "print(b'planted' in before, b'planted' in after)\n"
    )
    # When a child of it reads that environment, before and after
    environment = {"PATH": os.environ["PATH"], "SECRET": "planted", "PYTHONPATH": SOURCE_PATH}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    # Then it could, and cannot any more
    assert done.stdout.split() == ["True", "False"]


def test_a_worker_to_whom_orphans_come_is_left_with_none(chromium: str, site: str) -> None:
    # Given a worker that is the first process of a container, or like one (prctl(2), PR_SET_CHILD_SUBREAPER)
    script = (
        "import ctypes, pathlib, sys\n"
        "ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)\n"
        "from tests.support.rendering import local_engine, render\n"
        "with local_engine(sys.argv[1], sys.argv[2]) as engine:\n"
        "    render(engine, f'http://{sys.argv[2]}/colour?hex=00aa00')\n"
        "own = pathlib.Path('/proc/self').resolve()\n"
        "children = [path.read_text() for path in own.glob('task/*/children')]\n"
        "print('left:', *children)\n"
    )
    # When its browser is ended, with all that it started
    done = subprocess.run(
        [sys.executable, "-c", script, chromium, site], capture_output=True, text=True, timeout=60, check=True
    )
    # Then no zombie is left to it
    assert done.stdout.split() == ["left:"]


def test_a_deadline_that_is_over_before_a_tab_is_open_is_a_time_out(chromium: str, site: str) -> None:
    # Given a browser that stands still, as it does when its worker is frozen
    launches = Launches(chromium)
    engine = RenderEngine(launches, EgressGuard(EgressPolicy.of([site])))
    try:
        render(engine, f"http://{site}/colour?hex=00aa00")
        # The tab that was opened ahead is used up.
        time.sleep(0.5)
        for process in processes_of(launches.browsers[0]):
            os.kill(int(process.name), signal.SIGSTOP)
        assert launches.browsers[0].is_alive
        refusal(engine, f"http://{site}/colour?hex=00aa00", seconds=1)
        # When the deadline of a capture is over before a tab is open
        assert len(launches.browsers) == 1
        error = refusal(engine, f"http://{site}/colour?hex=00aa00", seconds=1)
        # Then that is what it says
        assert error.code == "TIMEOUT"
        # And the next capture is on another browser
        assert Pixels(render(engine, f"http://{site}/colour?hex=00aa00").data).is_all(GREEN)
    finally:
        engine.close()


def test_a_capture_does_not_wait_for_the_end_of_its_broken_browser(
    chromium: str, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a browser whose memory the kernel takes long to take back
    launches = Launches(chromium)
    engine = RenderEngine(launches, EgressGuard(EgressPolicy.of([site])))
    kill = Chromium.kill

    async def kill_slowly(browser: Chromium) -> None:
        await asyncio.sleep(4)
        await kill(browser)

    monkeypatch.setattr(Chromium, "kill", kill_slowly)
    try:
        with ThreadPoolExecutor(1) as pool:
            capture = pool.submit(refusal, engine, f"http://{site}/colour?hex=00aa00", delayMs=5000)
            time.sleep(1.5)
            # When the page's renderer dies
            for process in processes_of(launches.browsers[0]):
                if "--type=renderer" in (process / "cmdline").read_text():
                    os.kill(int(process.name), signal.SIGKILL)
            # Then the capture says so at once
            assert capture.result(2).code == "BROWSER_CRASHED"
        # And the next one does not wait either
        assert Pixels(render(engine, f"http://{site}/colour?hex=00aa00", seconds=3).data).is_all(GREEN)
    finally:
        engine.close()
    # And the end of the engine waits for that of both
    assert len(launches.browsers) == 2
    assert launches.alive == []
