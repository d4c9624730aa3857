"""The gallery that `shoot` writes, with results of real captures, opened in a real browser."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from stillframe_cli.site_server import serve_directory
from stillframe_renderer.browsers.engine import RenderEngine
from tests.support.pixels import BLUE, RED, Pixels, near
from tests.support.rendering import local_engine, render

from .test_shoot import stillframe

pytestmark = pytest.mark.usefixtures("chromium")


def test_the_gallery_shows_every_capture_in_a_real_browser(site: str, tmp_path: Path) -> None:
    # Given a run with a red, a blue and a failed page, one of them with a hostile URL
    urls = [
        f"http://{site}/colour?hex=ff0000",
        f"http://{site}/colour?hex=0000ff",
        "http://stillframe.invalid/<script>",
    ]
    stillframe("shoot", *urls, "--out", str(tmp_path), "--allow-host", site)
    page = (tmp_path / "index.html").read_text()
    assert "<script>/" not in page
    assert "&lt;script&gt;" in page
    # When the gallery itself is captured
    out = tmp_path / "gallery"
    with serve_directory(tmp_path) as host:
        run = stillframe("shoot", f"http://{host}/index.html", "--out", str(out), "--allow-host", host, "--json")
    (result,) = map(json.loads, run.stdout.splitlines())
    # Then both thumbnails are visible
    pixels = Pixels(Path(result["path"]).read_bytes())
    assert pixels.count(RED) > 10_000
    assert pixels.count(BLUE) > 10_000


@pytest.mark.parametrize(
    ("script", "shown"),
    [
        ("", 4),
        ("type('0000FF')", 1),
        ("type('color ff0000')", 1),
        ("type('UNKNOWN_HOST')", 1),
        ("type('nothing like it')", 0),
        ("document.querySelector('button[data-outcome=failed]').click()", 1),
        ("document.querySelector('button[data-outcome=captured]').click(); type('ff')", 2),
    ],
)
def test_the_gallery_can_be_searched_and_filtered(gallery: tuple[RenderEngine, str], script: str, shown: int) -> None:
    engine, host = gallery
    typing = "const field = document.querySelector('input'); const type = text => { field.value = text;"
    typing += "field.dispatchEvent(new Event('input')) };"
    count = "document.title = document.querySelectorAll('article:not([hidden])').length"
    result = render(engine, f"http://{host}/index.html", js=f"{typing} {script}; {count}")
    assert result.facts.title == str(shown)


def test_the_gallery_shows_thumbnails_and_links_to_extra_objects(gallery: tuple[RenderEngine, str]) -> None:
    engine, host = gallery
    script = (
        "const card = document.querySelector('article');"
        "document.title = [...card.querySelectorAll('img, a:not([target])')]"
        ".map(each => decodeURI((each.src || each.href).split('/').pop())).join(' ')"
    )
    image = "127-0-0-1-colour.png"
    assert render(engine, f"http://{host}/index.html", js=script).facts.title == (
        f"{image} {image}.thumbnail.webp {image}.page.txt {image}.thumbnail.webp"
    )


def test_the_gallery_shows_records_as_text_and_a_pdf_as_a_sheet(gallery: tuple[RenderEngine, str]) -> None:
    engine, host = gallery
    script = (
        "document.querySelector('.preview').click();"
        "document.title = [document.querySelectorAll('.sheet').length, document.querySelectorAll('main img').length,"
        "JSON.parse(document.querySelector('pre').textContent).status, document.querySelectorAll('main script').length]"
    )
    assert render(engine, f"http://{host}/index.html", js=script).facts.title == "1,2,success,0"


def test_every_shot_is_saved_and_shown(site: str, chromium: str, tmp_path: Path) -> None:
    # Given / When a page is captured with two shots
    shots = [
        {"name": "narrow", "viewport": {"width": 300, "height": 200}},
        {"name": "part", "clip": {"width": 50, "height": 40}, "format": "webp"},
    ]
    arguments = ["--options", json.dumps({"shots": shots}), "--out", str(tmp_path), "--allow-host", site]
    stillframe("shoot", f"http://{site}/colour?hex=ff0000", *arguments)
    (result,) = map(json.loads, (tmp_path / "results.jsonl").read_text().splitlines())
    # Then the result names them and their files, and those are what the record says
    assert result["shotFiles"] == {
        name: f"{result['file']}.shot-{name}.{extension}" for name, extension in (("narrow", "png"), ("part", "webp"))
    }
    for shot in result["shots"]:
        data = (tmp_path / result["shotFiles"][shot["name"]]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == shot["sha256"]
        assert Pixels(data).size == (shot["width"], shot["height"])
        assert near(Pixels(data).at(20, 20), RED)
    # And the gallery shows them
    script = "document.title = [...document.querySelectorAll('.shots img')].map(each => each.alt.split(' ')[0]).join()"
    with serve_directory(tmp_path) as host, local_engine(chromium, host) as engine:
        assert render(engine, f"http://{host}/index.html", js=script).facts.title == "narrow,part"
    # And a second run captures it again, because a shot is gone
    missing = tmp_path / result["shotFiles"]["part"]
    missing.unlink()
    stillframe("shoot", f"http://{site}/colour?hex=ff0000", *arguments)
    assert missing.exists()


@pytest.fixture(scope="module")
def gallery(site: str, chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RenderEngine, str]]:
    """A gallery of a red, a blue, a printed and an absent page, and an engine to open it with."""
    folder = tmp_path_factory.mktemp("gallery")
    # With explicit ids: the search covers ids, and a generated one could contain what a test searches for.
    requests = [
        {"requestId": "red", "url": f"http://{site}/colour?hex=ff0000", "options": {"thumbnail": {}, "save": ["text"]}},
        {"requestId": "blue", "url": f"http://{site}/colour?hex=0000ff"},
        {"requestId": "printed", "url": f"http://{site}/colour?hex=00aa00", "options": {"format": "pdf"}},
        {"requestId": "absent", "url": "http://stillframe.invalid/<script>"},
    ]
    lines = folder / "requests.jsonl"
    lines.write_text("\n".join(map(json.dumps, requests)))
    stillframe("shoot", "--file", str(lines), "--out", str(folder), "--allow-host", site)
    with serve_directory(folder) as host, local_engine(chromium, host) as engine:
        yield engine, host
