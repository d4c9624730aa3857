"""Every page of the corpus is pictured right, by its own geometry and colors, with and without latency."""

from __future__ import annotations

import http.client

import pytest

from stillframe.errors import CaptureError
from stillframe.image.render_result import RenderResult
from tests.support.pixels import GREEN, Pixels
from tests.support.rendering import local_engine, render_each
from tests.support.serving import serving

from .pages import PAGES, Page
from .site import CorpusSite

Shots = dict[str, RenderResult | CaptureError]


def problems(page: Page, shot: RenderResult | CaptureError) -> list[str]:
    """What is wrong with a picture."""
    if not isinstance(shot, RenderResult):
        return [f"{shot.code}: {shot.message}"]
    picture = Pixels(shot.data)
    wrong = [f"{point} is {picture.at(*point)}, not green" for point in page.green if picture.at(*point) != GREEN]
    return wrong + [f"{point} is green" for point in page.other if picture.at(*point) == GREEN]


def shots_with(chromium: str, latency_seconds: float) -> Shots:
    handler = type("Late", (CorpusSite,), {"latency_seconds": latency_seconds})
    with serving(handler) as site, local_engine(chromium, site) as engine:
        return render_each(
            engine, {name: (f"http://{site}/corpus/{name}", dict(page.options)) for name, page in PAGES.items()}
        )


@pytest.fixture(scope="module", params=[0, 300], ids=["at-once", "300-ms"])
def shots(chromium: str, request: pytest.FixtureRequest) -> Shots:
    return shots_with(chromium, request.param / 1000)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_corpus_is_pictured_right(shots: Shots, name: str) -> None:
    assert problems(PAGES[name], shots[name]) == []


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/corpus/plain", "text/html; charset=utf-8"),
        ("/image?colour=00aa00", "image/svg+xml"),
        ("/style?css=a{}", "text/css"),
        ("/script?code=1", "text/javascript"),
        ("/slow", "text/html; charset=utf-8"),
        ("/nothing", "text/html; charset=utf-8"),
    ],
)
def test_the_corpus_is_served_with_each_header_once(path: str, content_type: str) -> None:
    # Given / When an answer of the corpus's own server
    with serving(CorpusSite) as site:
        connection = http.client.HTTPConnection(site)
        connection.request("GET", path)
        answer = connection.getresponse()
        names = [name.lower() for name, _ in answer.getheaders()]
        connection.close()
    # Then no header is there twice: versions of Chromium choose differently between two
    assert len(names) == len(set(names))
    assert answer.getheader("Content-Type") == content_type


def test_the_corpus_is_large_and_can_fail(shots: Shots) -> None:
    assert len(PAGES) >= 60
    # A page that is not done yet is seen to be wrong.
    assert problems(PAGES["plain"], shots["vh-sections"]) != []
