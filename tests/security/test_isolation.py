"""A capture finds nothing that another one left: cookies, storage, caches, workers, files, credentials."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from stillframe_renderer.browsers.engine import RenderEngine
from tests.support.pixels import WHITE, Pixels
from tests.support.rendering import local_engine, render
from tests.support.serving import QuietHandler, serving

LEAVE = """
<script>(async () => {
  document.cookie = 'left=1; max-age=9999';
  localStorage.setItem('left', '1');
  sessionStorage.setItem('left', '1');
  await (await caches.open('left')).put('/left', new Response('1'));
  await new Promise(done => {
    const request = indexedDB.open('left', 1);
    request.onsuccess = request.onerror = done;
  });
  await navigator.serviceWorker.register('/worker.js');
  await navigator.serviceWorker.ready;
  await fetch('/cached');
  const folder = await navigator.storage.getDirectory();
  await folder.getFileHandle('left', {create: true});
  document.title = 'left';
})()</script>"""
FIND = """
<script>(async () => {
  const found = [];
  if (document.cookie) found.push('cookie');
  if (localStorage.length) found.push('localStorage');
  if (sessionStorage.length) found.push('sessionStorage');
  if ((await caches.keys()).length) found.push('caches');
  if ((await indexedDB.databases()).length) found.push('indexedDB');
  if ((await navigator.serviceWorker.getRegistrations()).length) found.push('serviceWorker');
  for await (const name of (await navigator.storage.getDirectory()).keys()) found.push('file');
  await fetch('/cached');
  document.title = JSON.stringify(found);
})()</script>"""

THEN_FIND = """
const waiting = setInterval(() => {
  if (document.title !== 'left') return;
  clearInterval(waiting);
  location = '/find';
}, 20)"""
# Each writes what it could read into its title; the content of a frame or an image would be in the screenshot.
READING = (
    "<script>fetch('FILE').then(r => r.text()).then(t => { document.title = t }).catch(() => 0)</script>",
    "<script>var x = new XMLHttpRequest(); x.onload = () => { document.title = x.response };"
    "try { x.open('GET', 'FILE'); x.send() } catch (e) {}</script>",
    "<iframe src='FILE' frameborder=0></iframe><script>document.querySelector('iframe').onload = e => {"
    "try { document.title = e.target.contentDocument.title } catch (e) {} }</script>",
    "<object data='FILE'></object>",
    "<embed src='FILE'>",
    "<style>@import url('FILE')</style>",
    "<script src='FILE' onload='document.title = 1'></script>",
    "<link rel=stylesheet href='FILE' onload='document.title = 1'>",
    "<script>new Worker(URL.createObjectURL(new Blob(['fetch(\"FILE\").then(r => r.text()).then(postMessage)'])))"
    ".onmessage = e => { document.title = e.data }</script>",
    "<script>try { new Worker('FILE').onmessage = e => { document.title = e.data } } catch (e) {}</script>",
)


class Site(QuietHandler):
    """Serves the pages, and records the requested paths: /cached may be cached forever."""

    requested: list[str]

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.requested.append(path)
        if path == "/worker.js":
            self.answer(200, b"addEventListener('fetch', () => {})", **{"Content-Type": "text/javascript"})
        elif path == "/cached":
            self.answer(200, b"kept", **{"Cache-Control": "public, max-age=99999, immutable"})
        elif path == "/page":
            self.answer(200, f"<!doctype html>{parse_qs(urlsplit(self.path).query)['body'][0]}".encode())
        elif path == "/leave-and-find":
            self.answer(200, f"<!doctype html>{LEAVE}<script>{THEN_FIND}</script>".encode())
        else:
            self.answer(200, f"<!doctype html>{LEAVE if path == '/leave' else FIND}".encode())


@pytest.fixture
def requested() -> list[str]:
    return []


@pytest.fixture
def pages(requested: list[str]) -> Iterator[str]:
    with serving(type("Counting", (Site,), {"requested": requested})) as host:
        yield host


@pytest.fixture
def engine(chromium: str, pages: str) -> Iterator[RenderEngine]:
    with local_engine(chromium, pages) as running:
        yield running


def title_of(engine: RenderEngine, url: str) -> str:
    title = render(engine, url, waitUntil="networkidle", delayMs=300).facts.title
    assert title is not None
    return title


def test_a_capture_finds_nothing_of_the_previous_one(engine: RenderEngine, pages: str, requested: list[str]) -> None:
    # Given a page that stores something wherever a page can
    assert title_of(engine, f"http://{pages}/leave") == "left"
    # When the same site is captured again, in the same browser
    found = json.loads(title_of(engine, f"http://{pages}/find"))
    # Then it finds nothing, and the cacheable resource is requested again
    assert found == []
    assert requested.count("/cached") == 2


def test_a_page_finds_what_it_stored_itself(engine: RenderEngine, pages: str) -> None:
    # Given / When a page stores these things and then searches its own context
    found = json.loads(title_of(engine, f"http://{pages}/leave-and-find"))
    # Then it finds every one of them, so that the test above would notice them
    everything = ["caches", "cookie", "file", "indexedDB", "localStorage", "serviceWorker", "sessionStorage"]
    assert sorted(found) == everything


@pytest.mark.parametrize("attempt", READING, ids=range(len(READING)))
def test_a_page_can_read_neither_files_nor_credentials(
    engine: RenderEngine, pages: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attempt: str
) -> None:
    # Given a credential in the environment of the worker, and one in a file
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted-in-the-environment")
    (tmp_path / "other-capture.html").write_text("<title>planted in a file</title>planted in a file")
    for path in (tmp_path / "other-capture.html", f"/proc/{os.getpid()}/environ", "/proc/self/environ", "/etc/passwd"):
        # When a page tries to read it and to show what it has read
        body = quote(attempt.replace("FILE", f"file://{path}"), safe="")
        result = render(engine, f"http://{pages}/page?body={body}", delayMs=200)
        # Then it has read nothing, and the screenshot shows nothing
        assert result.facts.title == ""
        assert Pixels(result.data).is_all(WHITE)
