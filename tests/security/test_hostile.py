"""Pages that try to take the worker down: each ends in time, and the next capture in the same process is right."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stillframe.egress.policy import EgressPolicy
from stillframe.errors import CaptureError
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium.browser import Chromium
from stillframe_renderer.guard.server import EgressGuard
from stillframe_renderer.guard.session import Limits
from tests.support.pixels import GREEN, Pixels
from tests.support.processes import Launches
from tests.support.rendering import render
from tests.support.serving import serving

from .hostile_pages import EVERYTHING, HostilePages

DEADLINE_SECONDS = 8.0


@pytest.fixture(scope="module")
def pages() -> Iterator[str]:
    with serving(HostilePages) as site:
        yield site


@pytest.fixture(scope="module")
def engine(chromium: str, pages: str) -> Iterator[RenderEngine]:
    guard = EgressGuard(EgressPolicy.of([pages]), limits=Limits(page_bytes=64 * 1024 * 1024))
    running = RenderEngine(functools.partial(Chromium.launch, chromium), guard)
    render(running, f"http://{pages}/good")
    yield running
    running.close()


@pytest.mark.alone
@pytest.mark.parametrize("name", EVERYTHING)
def test_a_hostile_page_ends_in_time_and_harms_no_other(engine: RenderEngine, pages: str, name: str) -> None:
    # Given / When a hostile page is captured
    started = time.monotonic()
    try:
        outcome = render(engine, f"http://{pages}/{name}", DEADLINE_SECONDS, fullPage=True, timeoutMs=6000).format.value
    except CaptureError as error:
        outcome = error.code
    seconds = time.monotonic() - started
    # Then it ends with an image or a typed error, at most a second after the job's deadline
    assert outcome in EXPECTED.get(name, {"png"}), outcome
    assert seconds < DEADLINE_SECONDS + 1
    # And the next capture in the same process is right
    assert Pixels(render(engine, f"http://{pages}/good").data).is_all(GREEN)


# The outcomes that are correct for these pages; all others must give an image.
EXPECTED = {
    "endless-redirect": {"CONTENT_REFUSED"},
    "endless-page": {"TIMEOUT", "png"},
    "endless-image": {"TIMEOUT", "png"},
    "silence": {"TIMEOUT"},
    "flood": {"PAGE_TOO_LARGE"},
    # Chromium refuses a document for an image as soon as it sees one.
    "huge-image": {"PAGE_TOO_LARGE", "png"},
    "gzip-bomb": {"TIMEOUT", "BROWSER_CRASHED", "png"},
    "memory-hog": {"TIMEOUT", "BROWSER_CRASHED"},
    "blob-disk": {"TIMEOUT", "png"},
    "busy-loop": {"TIMEOUT"},
    "busy-after-load": {"TIMEOUT", "png"},
    "reload-loop": {"TIMEOUT", "png"},
    "worker-storm": {"TIMEOUT", "png"},
    "ten-thousand-requests": {"TIMEOUT", "png"},
    "alert-on-unload": {"TIMEOUT", "png"},
    "dialogs": {"TIMEOUT", "png"},
    "infinite-scroll": {"TIMEOUT", "png"},
    "deep-dom": {"TIMEOUT", "BROWSER_CRASHED", "png"},
}


def test_hostile_pages_leave_nothing_behind(
    chromium: str, pages: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an engine with its own temporary directory
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    launches = Launches(chromium)
    guard = EgressGuard(EgressPolicy.of([pages]), limits=Limits(page_bytes=64 * 1024 * 1024))
    engine = RenderEngine(launches, guard)
    # When hostile and good pages are captured in turn, and the engine is closed
    try:
        for name in ("popups", "busy-loop", "blob-disk", "memory-hog"):
            with contextlib.suppress(CaptureError):
                render(engine, f"http://{pages}/{name}", 4, timeoutMs=3000)
            assert Pixels(render(engine, f"http://{pages}/good").data).is_all(GREEN)
    finally:
        engine.close()
    # Then no browser, no zombie and no file is left
    assert launches.alive == []
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("stillframe")] == []
