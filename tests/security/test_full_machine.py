"""Pages that fill the memory of the whole machine while their browser may still have more."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from stillframe.egress.policy import EgressPolicy
from stillframe.errors import CaptureError
from stillframe.image.render_result import RenderResult
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium.members import Members
from stillframe_renderer.chromium.memory import GroupMemory
from stillframe_renderer.guard.server import EgressGuard
from stillframe_renderer.load.free_memory import FreeMemory, Measure
from tests.support.pixels import GREEN, Pixels
from tests.support.processes import Launches
from tests.support.rendering import outcome_of, render
from tests.support.serving import QuietHandler, serving

MACHINE_BYTES = 700 << 20
LIMIT_MB = 1000
PAGES = {
    "heap": "kept.push(new Uint8Array(1500 << 20).fill(1))",
    "blobs": "for (let i = 0; i < 100; i++) kept.push(new Blob([new Uint8Array(8 << 20).fill(i + 1)]))",
}


class SmallMachine(FreeMemory):
    """A machine that has nothing but the browsers."""

    def __init__(self, launches: Launches) -> None:
        super().__init__()
        self._launches = launches

    @contextlib.contextmanager
    def opened(self) -> Iterator[Measure]:
        yield (
            lambda: (
                MACHINE_BYTES
                - sum(GroupMemory(Members(browser.pid)).measure().total for browser in self._launches.browsers)
            )
        )


class Fillers(QuietHandler):
    """Serves the pages above, and a good one. Counts how often the good one was loaded."""

    good_loads = 0

    def do_GET(self) -> None:
        name = urlsplit(self.path).path.strip("/")
        if name == "good":
            Fillers.good_loads += 1
            self.answer(200, b"<!doctype html><body style='margin:0;background:#00aa00'>")
        else:
            self.answer(200, f"<!doctype html><body><script>const kept = []; {PAGES[name]}</script>".encode())


@pytest.fixture
def site() -> Iterator[str]:
    with serving(Fillers) as address:
        yield address


@pytest.fixture
def engine(chromium: str, site: str) -> Iterator[RenderEngine]:
    launches = Launches(chromium)
    guard = EgressGuard(EgressPolicy.of([site]))
    running = RenderEngine(launches, guard, max_browser_mb=LIMIT_MB, free_memory=SmallMachine(launches))
    render(running, f"http://{site}/good")
    Fillers.good_loads = 0
    yield running
    running.close()


@pytest.mark.alone
@pytest.mark.parametrize(
    # The page's own process is killed, and nobody else notices. A browser that is full is killed as a whole: the page
    # beside is captured again.
    ("name", "reason", "loads"),
    [("heap", "renderer used too much memory", 1), ("blobs", "stored too much in the browser's memory", 2)],
)
def test_the_page_that_fills_the_machine_ends_alone(
    engine: RenderEngine, site: str, name: str, reason: str, loads: int
) -> None:
    with ThreadPoolExecutor(2) as threads:
        # Given an ordinary page that is being captured, on a machine whose memory is less than the browser's limit
        beside: Future[RenderResult | CaptureError] = threads.submit(
            outcome_of, engine, f"http://{site}/good", delayMs=4000
        )
        # When the page in the next tab fills it
        outcome = outcome_of(engine, f"http://{site}/{name}", waitUntil="load", timeoutMs=9000, delayMs=6000)
    # Then it is ended, with the reason
    assert isinstance(outcome, CaptureError)
    assert (outcome.code, reason in outcome.message) == ("BROWSER_CRASHED", True), outcome.message
    # And the ordinary page is captured
    result = beside.result()
    assert isinstance(result, RenderResult), result
    assert Pixels(result.data).is_all(GREEN)
    assert Fillers.good_loads == loads
