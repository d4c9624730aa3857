"""The gallery, opened in a real browser: filters, order, the viewer with its keys, comparisons, very many results."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

from stillframe_cli.gallery import cards_of, write_gallery
from stillframe_cli.main import cli
from stillframe_cli.site_server import serve_directory
from stillframe_renderer.browsers.engine import RenderEngine
from tests.support.pixels import BLUE, GREEN, RED, Pixels
from tests.support.rendering import local_engine, render

HOSTILE = "</script><script>document.title='taken over'</script><img src=x onerror=alert(1)>"


def result(number: int, **fields: Any) -> dict[str, Any]:
    """A result as `shoot` has it."""
    return {
        "id": f"id-{number}",
        "url": f"https://example.com/{number}",
        "outcome": "captured",
        "status": "success",
        "title": f"Page {number}",
        "file": f"{number}.png",
        "width": 100,
        "height": 80,
        "bytes": 1000 * number,
        "httpStatus": 200,
        "durationMs": 10 * number,
        "queuedAt": 1_700_000_000_000,
        "updatedAt": 1_700_000_000_000 + 1000 * number,
        "extraFiles": {},
        **fields,
    }


RESULTS = [
    result(1, bytes=9_000_000),
    result(2, comparedTo="id-1", changed=True, difference=0.5),
    result(2, outcome="skipped", reason="already_success"),
    result(2, outcome="skipped", reason="already_success"),
    result(3, httpStatus=404, title=HOSTILE),
    result(4, outcome="failed", status="failed", file=None, title=None, errorCode="UNKNOWN_HOST", url="javascript:1"),
]


@pytest.fixture(scope="module")
def gallery(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RenderEngine, str]]:
    folder = tmp_path_factory.mktemp("gallery")
    for number, colour in ((1, RED), (2, BLUE), (3, GREEN)):
        Image.new("RGB", (100, 80), colour).save(folder / f"{number}.png")
    write_gallery(folder, RESULTS, "Stillframe: 6 messages")
    with serve_directory(folder) as host, local_engine(chromium, host) as engine:
        yield engine, f"http://{host}/index.html"


SCRIPT = (
    "const press = key => document.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));"
    "const one = selector => document.querySelector(selector);"
    "const all = selector => [...document.querySelectorAll(selector)];"
    "const shown = () => all('article:not([hidden])').map(each => each.id).join();"
    "const choose = (selector, value) => { one(selector).value = value;"
    "one(selector).dispatchEvent(new Event('change')) };"
    "const open = number => one(`#n${number} .preview`).click();"
    "const record = () => JSON.parse(one('dialog pre').textContent);"
)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param("shown()", "n0,n1,n2,n3", id="a-card-for-each-screenshot"),
        pytest.param("choose('[data-filter]', '4xx'); shown()", "n2", id="status"),
        pytest.param("one('[data-outcome=failed]').click(); shown()", "n3", id="outcome"),
        pytest.param("choose('[data-order]', 'bytes'); shown()", "n0,n3,n2,n1", id="largest-first"),
        pytest.param("choose('[data-order]', 'outcome'); shown()", "n3,n0,n1,n2", id="failed-first"),
        pytest.param("choose('[data-order]', 'difference'); shown()", "n1,n0,n2,n3", id="most-changed-first"),
        pytest.param(
            "choose('[data-order]', 'bytes'); choose('[data-order]', ''); shown()", "n0,n1,n2,n3", id="as-it-was"
        ),
        pytest.param("open(0); record().id", "id-1", id="record"),
        pytest.param("open(0); press('ArrowRight'); record().id", "id-2", id="right"),
        pytest.param("open(0); press('ArrowLeft'); record().id", "id-4", id="left-from-the-first"),
        pytest.param(
            "one('[data-outcome=captured]').click(); open(2); press('ArrowRight'); record().id", "id-1", id="filtered"
        ),
        pytest.param("open(0); press('z'); one('.stage').dataset.zoom", "width", id="zoom"),
        pytest.param(
            "open(1); press('c'); all('.slider img').map(each => each.alt).join()", "Before,After", id="compare"
        ),
        pytest.param("open(0); press('c'); all('.slider').length", "0", id="nothing-to-compare-with"),
        pytest.param("open(1); one('[data-close]').click(); one('dialog').open", "false", id="close"),
        pytest.param("open(2); location.hash", "#n2", id="link"),
        pytest.param("all('.text a[target]').map(each => each.protocol).join()", "https:,https:,https:", id="links"),
        pytest.param("all('main script, main img[onerror]').length", "0", id="hostile-title"),
        pytest.param(
            "one('#n1 .text').innerText.includes('2 more messages: skipped: already_success')", "true", id="folded"
        ),
        pytest.param("document.documentElement.scrollWidth <= innerWidth", "true", id="no-wider-than-the-window"),
    ],
)
def test_the_gallery_does_what_its_keys_and_controls_say(
    gallery: tuple[RenderEngine, str], script: str, expected: str
) -> None:
    # Given a gallery / When somebody uses it
    engine, url = gallery
    *actions, value = script.split("; ")
    js = f"{SCRIPT} {'; '.join(actions)}; document.title = String({value})"
    # Then, on a phone as well
    assert render(engine, url, js=js).facts.title == expected
    assert render(engine, url, js=js, viewport={"width": 360, "height": 700}).facts.title == expected


def test_a_link_to_a_result_opens_it(gallery: tuple[RenderEngine, str]) -> None:
    # Given / When a link that somebody has sent
    engine, url = gallery
    shown = Pixels(render(engine, f"{url}#n2").data)
    # Then the image is shown, and beside it the record
    assert shown.count(GREEN) > 5000


def test_the_comparison_shows_both_images(gallery: tuple[RenderEngine, str]) -> None:
    # Given a result that was compared with another one
    engine, url = gallery
    js = f"{SCRIPT} open(1); press('c'); const handle = one('.slider input'); handle.value = 25;"
    js += "handle.dispatchEvent(new Event('input'))"
    # When the handle is moved
    shown = Pixels(render(engine, url, js=js).data)
    # Then a quarter is of the one before
    assert 0.2 < shown.count(RED) / (shown.count(RED) + shown.count(BLUE)) < 0.3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_has_one_background(gallery: tuple[RenderEngine, str], scheme: str) -> None:
    # Given / When the gallery is opened in one of the colour schemes
    engine, url = gallery
    shown = Pixels(render(engine, url, colorScheme=scheme, fullPage=True).data)
    # Then no edge of the window has another colour than the page
    width, height = shown.size
    colours = {shown.at(x, y) for x in (2, width - 3) for y in range(2, height, 50)} - {shown.at(2, 92)}
    assert len(colours) <= 2


def test_the_page_needs_nothing_else(gallery: tuple[RenderEngine, str]) -> None:
    # Given / When the gallery is loaded
    engine, url = gallery
    loaded = render(engine, url, fullPage=True)
    # Then it has requested nothing but itself and the images beside it
    assert loaded.facts.requests == 4
    assert loaded.facts.failed_requests == 0


def test_five_thousand_results_load_what_is_in_view(chromium: str, tmp_path: Path) -> None:
    # Given a gallery of very many results
    many = [result(number) for number in range(5000)]
    for number in range(5000):
        (tmp_path / f"{number}.png").symlink_to("image.png")
    Image.new("RGB", (100, 80), GREEN).save(tmp_path / "image.png")
    write_gallery(tmp_path, many, "Stillframe: 5,000 messages")
    js = "document.querySelector('#n4990 .preview').click()"
    with serve_directory(tmp_path) as host, local_engine(chromium, host) as engine:
        # When it is opened, and one of the last is looked at
        shown = render(engine, f"http://{host}/index.html", js=js)
    # Then only images in and near the window were loaded
    assert shown.facts.requests in range(1, 100)
    assert Pixels(shown.data).count(GREEN) > 5000


def test_duplicates_are_folded_into_the_one_with_the_image() -> None:
    # Given a duplicate that was reported first
    first, second = result(1, outcome="skipped", reason="already_processing"), result(1)
    # When
    (card,) = cards_of([first, second])
    # Then
    assert (card.result, card.folded) == (second, {"skipped: already_processing": 1})


def test_records_in_the_page_are_data(tmp_path: Path) -> None:
    # Given / When a gallery with a hostile title
    page = write_gallery(tmp_path, RESULTS, "title").read_text()
    # Then it can be read back, and is nowhere markup
    records = re.search(r'<script type="application/json" id="records">(.*?)</script>', page, re.DOTALL)
    assert records is not None
    assert json.loads(records[1])[2]["title"] == HOSTILE
    assert HOSTILE not in page


@pytest.mark.parametrize(
    ("view", "colours"), [("handle", {BLUE, RED}), ("before", {RED}), ("after", {BLUE}), ("changed", {(127, 0, 159)})]
)
def test_the_page_of_a_difference_shows_each_image(
    chromium: str, tmp_path: Path, view: str, colours: set[tuple[int, int, int]]
) -> None:
    # Given the page that `diff` writes for a red and a blue image
    for name, colour in (("before", RED), ("after", BLUE)):
        Image.new("RGB", (600, 400), colour).save(tmp_path / f"{name}.png")
    names = [str(tmp_path / "before.png"), str(tmp_path / "after.png"), "--out", str(tmp_path / "page.html")]
    assert CliRunner().invoke(cli, ["diff", *names]).exit_code == 0
    with serve_directory(tmp_path) as host, local_engine(chromium, host) as engine:
        # When one of its views is chosen
        js = f"document.querySelector('button[data-view={view}]').click()"
        shown = render(engine, f"http://{host}/page.html", js=js)
    # Then that is what it shows, and nothing is loaded but the page and the images in it
    pixels = Pixels(shown.data)
    assert {each for each in (RED, BLUE, (127, 0, 159)) if pixels.count(each) > 10_000} == colours
    assert shown.facts.requests == 4
