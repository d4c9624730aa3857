"""Every page of the corpus is rendered correctly, with and without latency, judged by its own geometry and colors."""

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

Results = dict[str, RenderResult | CaptureError]


def problems(page: Page, result: RenderResult | CaptureError) -> list[str]:
    """What is wrong with a screenshot, one line per problem."""
    if not isinstance(result, RenderResult):
        return [f"{result.code}: {result.message}"]
    return picture_problems(page, result.data)


def picture_problems(page: Page, data: bytes) -> list[str]:
    """What is wrong with an image of the page, one line per problem."""
    pixels = Pixels(data)
    wrong = [f"{point} is {pixels.at(*point)}, not green" for point in page.green if pixels.at(*point) != GREEN]
    return wrong + [f"{point} is green" for point in page.other if pixels.at(*point) == GREEN]


def render_corpus(chromium: str, latency_seconds: float) -> Results:
    handler = type("Late", (CorpusSite,), {"latency_seconds": latency_seconds})
    with serving(handler) as site, local_engine(chromium, site) as engine:
        return render_each(
            engine, {name: (f"http://{site}/corpus/{name}", dict(page.options)) for name, page in PAGES.items()}
        )


@pytest.fixture(scope="module", params=[0, 300, 1500], ids=["at-once", "300-ms", "1500-ms"])
def results(chromium: str, request: pytest.FixtureRequest) -> Results:
    return render_corpus(chromium, request.param / 1000)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_corpus_is_rendered_correctly(results: Results, name: str) -> None:
    assert problems(PAGES[name], results[name]) == []


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
def test_the_corpus_server_sends_each_header_once(path: str, content_type: str) -> None:
    # Given / When a request to the server of the corpus
    with serving(CorpusSite) as site:
        connection = http.client.HTTPConnection(site)
        connection.request("GET", path)
        answer = connection.getresponse()
        names = [name.lower() for name, _ in answer.getheaders()]
        connection.close()
    # Then no header occurs twice, because versions of Chromium choose differently between the two
    assert len(names) == len(set(names))
    assert answer.getheader("Content-Type") == content_type


def test_the_corpus_is_large_and_detects_a_wrong_page(results: Results) -> None:
    assert len(PAGES) >= 60
    # A page that differs from what is expected is recognized as wrong.
    assert problems(PAGES["plain"], results["vh-sections"]) != []
