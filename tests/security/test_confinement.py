"""What a page, or a browser that a page has taken over, cannot do on the machine."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from stillframe.egress.policy import EgressPolicy
from stillframe.request.options import RenderOptions
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium import flags
from stillframe_renderer.chromium.memory import default_limit_mb
from stillframe_renderer.chromium.tab import Tab
from stillframe_renderer.guard.server import EgressGuard
from stillframe_renderer.page.blocks import Blocks
from stillframe_renderer.page.interception import Interception
from stillframe_renderer.page.preparation import Preparation
from tests.support.pixels import GREEN, Pixels
from tests.support.processes import Launches, listening_ports, processes_of
from tests.support.rendering import render, render_error
from tests.support.serving import QuietHandler, serving
from tests.support.workers import wait_for

PERMISSIONS = ("geolocation", "notifications", "camera", "microphone", "clipboard-read", "midi", "persistent-storage")
PAGES = {
    "open": "<body><script>open('/popup?1'); open('/popup?2', '_blank', 'noopener')</script>",
    "link": "<body><a id=a target=_blank href='/popup?3'>x</a><script>a.click()</script>",
    "form": "<body><form id=f target=_blank action='/popup?4'></form><script>f.submit()</script>",
    "download": "<body><a id=a href='/file' download='probe.bin'>x</a><script>a.click()</script>",
    "permissions": (
        "<body><script>Promise.all(NAMES.map(name => navigator.permissions.query({name}))).then(all => {"
        "const denied = all.every(each => each.state === 'denied');"
        "document.body.style.background = denied ? '#00aa00' : '#aa0000' })</script>"
    ).replace("NAMES", str(list(PERMISSIONS))),
    "good": "<body style='margin:0;background:#00aa00'>",
    "memory": (
        "<body><script>const kept = []; for (let i = 0; i < 40; i++) kept.push(new Uint8Array(2e7).fill(i));"
        "setInterval(() => kept.forEach(each => each.fill(7)), 500)</script>"
    ),
}


# A page that is requested with this query loads until the test lets it.
HELD = "<script src=/held></script>"


class Site(QuietHandler):
    requested: list[str]
    release: threading.Event

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        path = url.path
        self.requested.append(path)
        if path == "/file":
            self.answer(200, b"probe" * 1000, Content_Disposition="attachment")
        else:
            if path == "/held":
                self.release.wait(20)
            page = PAGES.get(path.strip("/"), "popup") + (HELD if url.query == "held" else "")
            self.answer(200, f"<!doctype html>{page}".encode())


@pytest.fixture
def requested() -> list[str]:
    return []


@pytest.fixture
def release() -> threading.Event:
    return threading.Event()


@pytest.fixture
def pages(requested: list[str], release: threading.Event) -> Iterator[str]:
    with serving(type("Recorded", (Site,), {"requested": requested, "release": release})) as host:
        yield host


@pytest.fixture
def launches(chromium: str) -> Launches:
    return Launches(chromium)


@pytest.fixture
def engine(launches: Launches, pages: str) -> Iterator[RenderEngine]:
    running = RenderEngine(launches, EgressGuard(EgressPolicy.of([pages])), max_browser_mb=600)
    yield running
    running.close()


@pytest.mark.parametrize("way", ["open", "link", "form"])
def test_a_page_cannot_open_another(engine: RenderEngine, pages: str, requested: list[str], way: str) -> None:
    # Given / When a page that opens another one, with and without a reference to it
    render(engine, f"http://{pages}/{way}", delayMs=300)
    # Then the other page is not requested
    assert requested == [f"/{way}"]


@pytest.mark.parametrize(("way", "count"), [("open", 2), ("link", 1), ("form", 1)])
def test_a_page_that_was_opened_all_the_same_is_closed(
    engine: RenderEngine,
    launches: Launches,
    pages: str,
    release: threading.Event,
    way: str,
    count: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a browser without the flag that blocks popups, and a page that is still loading
    monkeypatch.setattr(flags, "FLAGS", tuple(flag for flag in flags.FLAGS if flag != "--block-new-web-contents"))
    openers: dict[str, str] = {}
    closed: list[str] = []
    render(engine, f"http://{pages}/good")
    connection = launches.browsers[0].connection
    connection.on("Target.attachedToTarget", lambda event: openers.update(opener_of(event["targetInfo"])))
    connection.on("Target.detachedFromTarget", lambda event: closed.append(event["targetId"]))
    with ThreadPoolExecutor(1) as pool:
        # When it opens other pages
        capture = pool.submit(render, engine, f"http://{pages}/{way}?held")
        # Then each of them is closed while the first page is still open
        wait_for(lambda: len(openers) == count and set(closed) >= set(openers), 10, "the closing of each new page")
        assert set(closed).isdisjoint(openers.values())
        release.set()
        capture.result()


def opener_of(target: dict[str, Any]) -> dict[str, str]:
    """The target that opened this one, by the id of this one. Empty if no page has opened it."""
    return {target["targetId"]: target["openerId"]} if "openerId" in target else {}


def test_a_navigation_to_a_file_is_refused(launches: Launches, pages: str, tmp_path: Path) -> None:
    # Given a tab of a capture, and a file
    (tmp_path / "secret.html").write_text("secret")

    async def scenario() -> list[str | None]:
        guard = EgressGuard(EgressPolicy.of([pages]))
        chromium = await launches()
        try:
            async with guard.session() as session:
                tab = await Tab.open(chromium, session.url)
                options = RenderOptions()
                blocks = Blocks(options, None)
                page = Preparation(tab.session)
                Interception(tab.session, tab.frame_id, guard.policy, session, options, blocks).install(page)
                # When the tab is navigated to files, as a compromised page could do
                targets = (f"file://{tmp_path}/secret.html", "view-source:file:///etc/passwd")
                return [(await tab.navigate(each)).get("errorText") for each in targets]
        finally:
            await chromium.kill()

    # Then each is refused
    assert asyncio.run(scenario()) == ["net::ERR_ACCESS_DENIED"] * 2


def test_a_tab_outside_any_capture_reaches_nothing(launches: Launches, pages: str, requested: list[str]) -> None:
    async def scenario() -> None:
        # Given a tab outside the context of any capture
        chromium = await launches()
        try:
            send = chromium.connection.send
            attached: list[dict[str, Any]] = []
            chromium.connection.on("Target.attachedToTarget", attached.append)
            await send("Target.createTarget", {"url": "about:blank"})
            session = chromium.connection.adopt("page", attached[-1]["sessionId"])
            # When it navigates to a page
            answer = session.send("Page.navigate", {"url": f"http://{pages}/good"})
            session.send("Runtime.runIfWaitingForDebugger")
            await asyncio.wait_for(answer, 5)
            await asyncio.sleep(0.3)
        finally:
            await chromium.kill()

    asyncio.run(scenario())
    # Then nothing is requested
    assert requested == []


def test_every_permission_is_denied(engine: RenderEngine, pages: str) -> None:
    assert Pixels(render(engine, f"http://{pages}/permissions", delayMs=300).data).is_all(GREEN)


def test_a_download_leaves_no_file(
    engine: RenderEngine, pages: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    render(engine, f"http://{pages}/download", delayMs=500)
    found = [path for path in tmp_path.rglob("*") if path.is_file() and b"probeprobe" in path.read_bytes()]
    assert found == []


def test_the_browser_listens_on_no_port(engine: RenderEngine, launches: Launches, pages: str) -> None:
    render(engine, f"http://{pages}/good")
    assert listening_ports(launches.browsers[0]) == set()


def test_core_dumps_and_huge_files_are_disabled(engine: RenderEngine, launches: Launches, pages: str) -> None:
    # Given a browser that has rendered
    render(engine, f"http://{pages}/good")
    # Then each of its processes has these limits
    checked = 0
    for process in processes_of(launches.browsers[0]):
        # The process of the previous page may end in the meantime.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            text = (process / "limits").read_text()
            limits = {line[:26].strip(): line[26:].split()[1] for line in text.splitlines()}
            assert (limits["Max core file size"], limits["Max file size"]) == ("0", str(1 << 30))
            checked += 1
    assert checked >= 2


def test_only_a_page_with_too_much_memory_ends(engine: RenderEngine, launches: Launches, pages: str) -> None:
    # Given / When a page that uses 800 MB, in a browser that may use 600 MB
    started = time.monotonic()
    error = render_error(engine, f"http://{pages}/memory", delayMs=8000)
    # Then it is ended early, and the next capture in the same process is right
    assert (error.code, time.monotonic() - started < 7) == ("BROWSER_CRASHED", True)
    assert "the page's renderer used too much memory" in error.message
    assert Pixels(render(engine, f"http://{pages}/good").data).is_all(GREEN)
    assert len(launches.browsers) == 2


def test_a_hanging_browser_is_killed_with_all_its_children(launches: Launches) -> None:
    async def scenario() -> None:
        # Given a frozen browser, which notices neither a command nor the end of its pipe
        chromium = await launches()
        assert len(processes_of(chromium)) >= 2
        os.killpg(chromium.pid, signal.SIGSTOP)
        # When it is killed
        await chromium.kill()
        # Then no process of it is left
        give_up_at = time.monotonic() + 5
        while processes_of(chromium) and time.monotonic() < give_up_at:
            await asyncio.sleep(0.05)
        left = processes_of(chromium)
        if left:
            os.killpg(chromium.pid, signal.SIGKILL)
        assert left == []

    asyncio.run(scenario())


@pytest.mark.parametrize(("memory", "limit"), [(2048, 1536), (None, 4096)])
def test_the_limit_of_a_function_leaves_room_for_the_worker(memory: int | None, limit: int) -> None:
    assert default_limit_mb(memory) == limit
