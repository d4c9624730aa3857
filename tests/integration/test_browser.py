"""The browser as a process: killed, crashed, replaced, and without the worker's environment."""

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
from stillframe_renderer.browsers.pool import CLOSE_SECONDS
from stillframe_renderer.chromium.browser import Chromium
from stillframe_renderer.guard.server import EgressGuard
from tests.support.pixels import GREEN, Pixels
from tests.support.processes import Launches, processes_of
from tests.support.rendering import outcome_of, render, render_error
from tests.support.workers import ROOT, SOURCE_PATH


def test_a_killed_browser_is_replaced(chromium: str, site: str) -> None:
    # Given a warm engine
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
        # When it is killed during a capture
        with ThreadPoolExecutor(1) as pool:
            capture = pool.submit(render_error, engine, f"http://{site}/slow?seconds=5")
            time.sleep(0.7)
            os.killpg(running[1].pid, signal.SIGKILL)
            # Then that capture fails at once with that reason
            assert capture.result(3).code == "BROWSER_CRASHED"
        assert Pixels(render(engine, f"http://{site}/colour?hex=00aa00").data).is_all(GREEN)
    finally:
        engine.close()
    # And no process of the three browsers is left
    assert len(running) == 3
    assert launches.alive == []


@pytest.mark.parametrize("kind", ["renderer", "gpu-process"])
def test_a_crashed_child_process_fails_at_most_its_own_captures(chromium: str, site: str, kind: str) -> None:
    # Given an engine during a capture
    launches = Launches(chromium)
    running = launches.browsers
    engine = RenderEngine(launches, EgressGuard(EgressPolicy.of([site])))
    try:
        with ThreadPoolExecutor(1) as pool:
            capture = pool.submit(outcome_of, engine, f"http://{site}/colour?hex=00aa00", delayMs=3000)
            time.sleep(1.5)
            # When one of the browser's child processes dies
            killed = [each for each in processes_of(running[0]) if f"--type={kind}" in (each / "cmdline").read_text()]
            for process in killed:
                os.kill(int(process.name), signal.SIGKILL)
            outcome = capture.result(15)
        # Then the capture fails at once, or the browser has replaced the process and the image is right
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
    # Given a credential in the worker's environment
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "do-not-leak")
    launches = Launches(chromium)
    running = launches.browsers
    engine = RenderEngine(launches, EgressGuard(EgressPolicy()))
    engine.warm_up()
    while not running:
        time.sleep(0.05)
    # Then the browser has no variables at all, and none of the worker's is in the environment of its children
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
    # And its profile is removed when it ends
    assert not profile.exists()


def test_a_browser_is_replaced_after_a_number_of_captures(
    chromium: str, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a limit of two captures per browser
    monkeypatch.setattr("stillframe_renderer.browsers.pool.CAPTURES_PER_BROWSER", 2)
    launches = Launches(chromium)
    running = launches.browsers
    engine = RenderEngine(launches, EgressGuard(EgressPolicy.of([site])))
    try:
        # When five pages are captured
        results = [render(engine, f"http://{site}/colour?hex=00aa00") for _ in range(5)]
    finally:
        engine.close()
    # Then three browsers were used, every image is right, and no browser is left
    assert all(Pixels(result.data).is_all(GREEN) for result in results)
    assert len(running) == 3
    assert launches.alive == []


def test_a_child_of_the_same_user_cannot_read_the_workers_environment() -> None:
    # Given a worker of an ordinary user, undumpable, with a secret in its environment
    script = (
        "import ctypes, os, subprocess\n"
        "from stillframe_renderer.process_setup import make_undumpable\n"
        "os.getuid() or os.setuid(65534)\n"
        # Changing the user makes the process undumpable; a worker that was started as that user is dumpable.
        "ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)\n"
        "before = subprocess.run(['cat', f'/proc/{os.getpid()}/environ'], capture_output=True).stdout\n"
        "make_undumpable()\n"
        "after = subprocess.run(['cat', f'/proc/{os.getpid()}/environ'], capture_output=True).stdout\n"
        "print(b'planted' in before, b'planted' in after)\n"
    )
    # When a child process reads that environment, before and after it is made undumpable
    environment = {"PATH": os.environ["PATH"], "SECRET": "planted", "PYTHONPATH": SOURCE_PATH}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    # Then it succeeds before and fails after
    assert done.stdout.split() == ["True", "False"]


def test_a_worker_that_adopts_orphans_keeps_no_zombies(chromium: str, site: str) -> None:
    # Given a worker that adopts orphans like the first process of a container (prctl(2), PR_SET_CHILD_SUBREAPER)
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
    # When its browser ends, with all the browser's children
    done = subprocess.run(
        [sys.executable, "-c", script, chromium, site], capture_output=True, text=True, timeout=60, check=True
    )
    # Then the worker is left without a zombie
    assert done.stdout.split() == ["left:"]


FROZEN = """
import os, signal, sys
from stillframe.egress.policy import EgressPolicy
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.guard.server import EgressGuard
from tests.support.processes import Launches
from tests.support.rendering import render

url, site, chromium = sys.argv[1:]
launches = Launches(chromium)
engine = RenderEngine(launches, EgressGuard(EgressPolicy.of([site])))
render(engine, url)
# The answer is there, and the browser has not closed the page yet.
os.killpg(launches.browsers[0].pid, signal.SIGSTOP)
print(launches.browsers[0].pid, flush=True)
sys.stdin.readline()
render(engine, url)
engine.close()
print(len(launches.browsers), flush=True)
"""


def test_a_freeze_between_two_captures_does_not_replace_the_browser(chromium: str, site: str) -> None:
    # Given a worker that has answered while its browser still closes the page
    worker = subprocess.Popen(
        [sys.executable, "-c", FROZEN, f"http://{site}/colour?hex=00aa00", site, chromium],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{SOURCE_PATH}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        browser = int(worker.stdout.readline())
        # When both are frozen for longer than closing may take, and the worker is thawed a moment earlier
        worker.send_signal(signal.SIGSTOP)
        time.sleep(CLOSE_SECONDS + 1)
        worker.send_signal(signal.SIGCONT)
        time.sleep(0.3)
        os.killpg(browser, signal.SIGCONT)
        worker.stdin.write("go on\n")
        worker.stdin.flush()
        # Then the next capture is by the same browser
        assert worker.stdout.readline() == "1\n"
        assert worker.wait(30) == 0
    finally:
        worker.kill()
        worker.communicate()


def test_a_deadline_that_passes_before_a_tab_is_open_is_a_timeout(chromium: str, site: str) -> None:
    # Given a frozen browser, as when its worker is frozen
    launches = Launches(chromium)
    engine = RenderEngine(launches, EgressGuard(EgressPolicy.of([site])))
    try:
        render(engine, f"http://{site}/colour?hex=00aa00")
        # The first capture below uses up the spare tab.
        time.sleep(0.5)
        for process in processes_of(launches.browsers[0]):
            os.kill(int(process.name), signal.SIGSTOP)
        assert launches.browsers[0].is_alive
        render_error(engine, f"http://{site}/colour?hex=00aa00", seconds=1)
        # When the deadline of a capture passes before a tab is open
        assert len(launches.browsers) == 1
        error = render_error(engine, f"http://{site}/colour?hex=00aa00", seconds=1)
        # Then the error is a timeout
        assert error.code == "TIMEOUT"
        # And the next capture is on another browser
        assert Pixels(render(engine, f"http://{site}/colour?hex=00aa00").data).is_all(GREEN)
    finally:
        engine.close()


def test_a_capture_does_not_wait_for_its_broken_browser_to_end(
    chromium: str, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a browser that takes long to end, because the kernel frees much memory
    launches = Launches(chromium)
    engine = RenderEngine(launches, EgressGuard(EgressPolicy.of([site])))
    kill = Chromium.kill

    async def kill_slowly(browser: Chromium) -> None:
        await asyncio.sleep(4)
        await kill(browser)

    monkeypatch.setattr(Chromium, "kill", kill_slowly)
    try:
        with ThreadPoolExecutor(1) as pool:
            capture = pool.submit(render_error, engine, f"http://{site}/colour?hex=00aa00", delayMs=5000)
            time.sleep(1.5)
            # When the page's renderer dies
            for process in processes_of(launches.browsers[0]):
                if "--type=renderer" in (process / "cmdline").read_text():
                    os.kill(int(process.name), signal.SIGKILL)
            # Then the capture fails at once
            assert capture.result(2).code == "BROWSER_CRASHED"
        # And the next capture does not wait either
        assert Pixels(render(engine, f"http://{site}/colour?hex=00aa00", seconds=3).data).is_all(GREEN)
    finally:
        engine.close()
    # And closing the engine waits for both browsers to end
    assert len(launches.browsers) == 2
    assert launches.alive == []
