"""`initScript`: a script that runs before those of the page, in every frame."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from stillframe_renderer.chromium import flags
from tests.support.rendering import local_engine, render
from tests.support.serving import serving

from .conftest import Origin, Studio

SCRIPT = "window.early = 'early'; Math.random = () => 0.25"


def test_a_script_runs_before_those_of_the_page(studio: Studio) -> None:
    # Given / When a page whose own scripts use what the script has set
    seen = studio.evaluate("[early, Math.random()]", initScript=SCRIPT)
    # Then it was there
    assert seen == "early,0.25"


def test_a_policy_of_the_page_does_not_stop_the_script(studio: Studio) -> None:
    script = "addEventListener('load', () => { document.title += ' seen' })"
    assert studio.visit("/policy", initScript=script).facts.title == "strict seen"


@pytest.mark.parametrize(
    "frame",
    ["<iframe srcdoc='SHOW'></iframe>", "<iframe name=inner></iframe><script>document.title = inner.early</script>"],
)
def test_the_frames_of_a_page_get_the_script(studio: Studio, frame: str) -> None:
    page = frame.replace("SHOW", "<script>top.document.title = early</script>")
    assert studio.render(page, initScript=SCRIPT).facts.title == "early"


@pytest.fixture
def sites(chromium: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Studio, str]]:
    """A studio whose pages may have frames of another site, in processes of their own, and the address of that."""
    monkeypatch.setattr(flags, "FLAGS", (*flags.FLAGS, "--site-per-process"))
    requested: list[str] = []
    with serving(type("Recording", (Origin,), {"requested": requested})) as site:
        other = f"localhost:{site.partition(':')[2]}"
        with local_engine(chromium, site, other) as engine:
            yield Studio(engine, site, requested), other


@pytest.mark.parametrize("depth", [1, 2])
def test_a_frame_of_another_site_gets_the_script_in_time(sites: tuple[Studio, str], depth: int) -> None:
    # Given a page with a frame of another site, or a frame of its own within such a frame
    studio, other = sites
    tell, hear = "top.postMessage(window.early, '*')", "onmessage = event => { document.title = event.data }"
    page = f"<script>{tell}</script>"
    for site in (studio.site, other)[-depth:]:
        page = f"<iframe src='http://{site}/page?body={quote(page)}'></iframe>"
    # When it is captured with a script
    result = studio.render(f"<script>{hear}</script>{page}", initScript=SCRIPT)
    # Then the innermost frame has seen it
    assert result.facts.title == "early"


def test_workers_go_on_beside_the_script(studio: Studio) -> None:
    page = (
        "<script>new Worker(URL.createObjectURL(new Blob(['postMessage(1)']))).onmessage = "
        "() => { document.title = 'worked' }</script>"
    )
    url = f"http://{studio.site}/page"
    assert render(studio.engine, url, html=page, initScript=SCRIPT, delayMs=300).facts.title == "worked"
