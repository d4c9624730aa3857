"""Pages that fill memory which is not their renderer's own: each is ended, and the page beside it is captured."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from stillframe.egress.policy import EgressPolicy
from stillframe.errors import CaptureError
from stillframe.image.render_result import RenderResult
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium.browser import Chromium
from stillframe_renderer.guard.server import EgressGuard
from tests.support.pixels import GREEN, Pixels
from tests.support.rendering import outcome_of, render
from tests.support.serving import QuietHandler, serving

LIMIT_MB = 600
FILL_BLOBS = "for (let i = 0; i < 100; i++) kept.push(new Blob([new Uint8Array(8 << 20).fill(i + 1)]))"
FILL_FILES = """
    const folder = await navigator.storage.getDirectory()
    for (let i = 0; i < 100; i++) {
        const file = await folder.getFileHandle('file' + i, { create: true })
        const stream = await file.createWritable()
        await stream.write(new Uint8Array(8 << 20).fill(i + 1))
        await stream.close()
    }"""
FILL_DATABASE = """
    const database = await new Promise((done) => {
        const request = indexedDB.open('kept')
        request.onupgradeneeded = () => request.result.createObjectStore('kept')
        request.onsuccess = () => done(request.result)
    })
    // Random, because Chromium compresses what it stores.
    const value = new Uint8Array(8 << 20)
    for (let at = 0; at < value.length; at += 1 << 16) crypto.getRandomValues(value.subarray(at, at + (1 << 16)))
    for (let i = 0; i < 100; i++) await new Promise((done) => {
        const transaction = database.transaction('kept', 'readwrite')
        transaction.objectStore('kept').put(value, i)
        transaction.oncomplete = done
    })"""
FILL_CACHE = """
    const cache = await caches.open('kept')
    for (let i = 0; i < 100; i++) await cache.put('/kept' + i, new Response(new Uint8Array(8 << 20).fill(i + 1)))"""
# Layers, whose pixels are in memory that the renderer shares with the process that puts them together: Chromium keeps
# half a gigabyte of them. The page has 200 MB of its own.
LAYERS = """
    <style>div { position: absolute; left: 0; top: 0; width: 4000px; height: 4000px; will-change: transform;
        background: repeating-linear-gradient(45deg, red, blue 3px) }</style>
    <script>
        const kept = []
        for (let i = 0; i < 25; i++) kept.push(new Uint8Array(8 << 20).fill(i + 1))
        for (let i = 0; i < 40; i++) document.body.append(document.createElement('div'))
    </script>"""
# Each of them stores up to 800 MB outside of its renderer.
FILLERS = {
    "blobs": f"{{ {FILL_BLOBS} }}",
    "blobs-of-a-busy-page": f"{{ {FILL_BLOBS}; for (;;) {{}} }}",
    "blobs-of-a-worker": f"new Worker(URL.createObjectURL(new Blob(['const kept = []; {FILL_BLOBS}'])))",
    "files": f"(async () => {{ {FILL_FILES} }})()",
    "database": f"(async () => {{ {FILL_DATABASE} }})()",
    "caches": f"(async () => {{ {FILL_CACHE} }})()",
}


class Storers(QuietHandler):
    """Serves a page for each filler, and a good one. Counts how often the good one was loaded."""

    good_loads = 0
    good_was_loaded = threading.Event()

    def do_GET(self) -> None:
        name = urlsplit(self.path).path.strip("/")
        if name == "good":
            Storers.good_loads += 1
            self.good_was_loaded.set()
            self.answer(200, b"<!doctype html><body style='margin:0;background:#00aa00'>")
        elif name == "layers":
            self.answer(200, f"<!doctype html><body>{LAYERS}".encode())
        elif name in FILLERS:
            self.answer(200, f"<!doctype html><body><script>const kept = []; {FILLERS[name]}</script>".encode())
        else:
            self.answer(404, b"not found")


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with serving(Storers) as address:
        yield address


@pytest.fixture
def engine(chromium: str, site: str) -> Iterator[RenderEngine]:
    guard = EgressGuard(EgressPolicy.of([site]))
    running = RenderEngine(functools.partial(Chromium.launch, chromium), guard, max_browser_mb=LIMIT_MB)
    render(running, f"http://{site}/good")
    Storers.good_loads = 0
    Storers.good_was_loaded.clear()
    yield running
    running.close()


@pytest.mark.alone
@pytest.mark.parametrize("name", FILLERS)
def test_the_page_that_stores_too_much_is_ended_and_the_page_beside_it_is_not(
    engine: RenderEngine, site: str, name: str
) -> None:
    with ThreadPoolExecutor(2) as threads:
        # Given an ordinary page that is being captured
        beside = threads.submit(render, engine, f"http://{site}/good", delayMs=6000)
        assert Storers.good_was_loaded.wait(5)
        time.sleep(1)
        # When the page in the next tab stores more than the browser may have
        outcome = outcome_of(engine, f"http://{site}/{name}", waitUntil="load", timeoutMs=9000, delayMs=6000)
    # Then it is ended, with the reason, and the ordinary page is captured
    assert isinstance(outcome, CaptureError)
    assert (outcome.code, "stored too much" in outcome.message) == ("BROWSER_CRASHED", True)
    assert Pixels(beside.result().data).is_all(GREEN)
    # And it was not disturbed: it was loaded only once
    assert Storers.good_loads == 1


@pytest.mark.alone
def test_memory_that_a_page_shares_with_the_browser_is_its_own(engine: RenderEngine, site: str) -> None:
    with ThreadPoolExecutor(2) as threads:
        # Given an ordinary page that is being captured
        beside = threads.submit(render, engine, f"http://{site}/good", delayMs=5000)
        assert Storers.good_was_loaded.wait(5)
        # When the page in the next tab has more pixels and heap together than the browser may have
        outcome = outcome_of(
            engine, f"http://{site}/layers", waitUntil="load", timeoutMs=15000, delayMs=5000, fullPage=True
        )
    # Then it is ended alone, although neither is too much by itself
    assert isinstance(outcome, CaptureError)
    assert "the page's renderer used too much memory" in outcome.message
    assert Pixels(beside.result().data).is_all(GREEN)
    assert Storers.good_loads == 1


@pytest.mark.alone
def test_a_page_that_is_ended_on_suspicion_is_captured_all_the_same(engine: RenderEngine, site: str) -> None:
    with ThreadPoolExecutor(2) as threads:
        # Given a page that begins to store data only after another capture has begun beside it
        late = "setTimeout(() => { " + FILL_BLOBS + " }, 3000)"
        options = {"html": f"<body><script>const kept = []; {late}</script>", "waitUntil": "load", "delayMs": 8000}
        storing: Future[RenderResult | CaptureError] = threads.submit(
            outcome_of, engine, f"http://{site}/late", **options
        )
        time.sleep(1.5)
        # When it has stored too much
        beside = render(engine, f"http://{site}/good", delayMs=4000)
    # Then both are told apart, although the younger capture was suspected first
    outcome = storing.result()
    assert isinstance(outcome, CaptureError)
    assert "stored too much" in outcome.message
    assert Pixels(beside.data).is_all(GREEN)
    assert Storers.good_loads == 2
