"""An archive (MHTML) shows what the page showed, in a browser that reaches nothing else."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

from PIL import Image, ImageChops

from stillframe_renderer.browsers.engine import RenderEngine
from tests.corpus.page import IMAGE
from tests.support.pixels import GREEN, Pixels
from tests.support.rendering import render

from .pages import script, style

FORMULA = (
    "<!doctype html><style>body{margin:0;font-size:60px}i{display:block;width:200px;height:100px}"
    f"i{{background:image-set(url('{IMAGE}') 1x)}}</style>"
    + style("katex/dist/katex.min.css")
    + "<i></i><p id=c></p>"
    + script("katex/dist/katex.min.js")
    + "<script>katex.render('\\\\mathcal{ABC} \\\\sum_{n} \\\\mathfrak{xyz}', c)</script>"
)


def test_the_fonts_and_images_of_a_page_are_in_its_archive(
    engine: RenderEngine, site: str, chromium: str, tmp_path: Path
) -> None:
    # Given a formula, which is set in fonts that a style sheet names
    viewport = {"width": 900, "height": 500}
    result = render(engine, f"http://{site}/formula", html=FORMULA, save=["mhtml"], viewport=viewport)
    assert result.facts.left_out is None
    (extra,) = result.extras
    archive, shown = tmp_path / "page.mhtml", tmp_path / "shown.png"
    archive.write_bytes(extra.data)
    # When its archive is opened in a browser that reaches no server
    subprocess.run(
        [
            *(
                chromium,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--window-size=900,500",
                "--font-render-hinting=none",
            ),
            *("--proxy-server=127.0.0.1:9", "--proxy-bypass-list=<-loopback>", f"--screenshot={shown}", str(archive)),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    # Then it looks the same
    assert Pixels(shown.read_bytes()).at(100, 50) == GREEN
    # Pixel for pixel, but for the smoothing of edges.
    before, after = (Image.open(io.BytesIO(data)).convert("L") for data in (result.data, shown.read_bytes()))
    differing = ImageChops.difference(before, after).point(lambda value: 255 * (value > 100))
    assert (before.size, differing.getbbox()) == (after.size, None)
