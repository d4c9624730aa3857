"""Pages that show something only while it is in view: a full page shows each part as it is in view."""

from __future__ import annotations

import pytest

from tests.support.pixels import GREEN

from .conftest import Studio

FULL = {"fullPage": True}


def test_blocks_that_are_taller_than_the_window_and_hide_again_are_there(studio: Studio) -> None:
    # Given blocks of 900 pixels that are shown only while a part of them is in view
    page = (
        "<body style='margin:0'>"
        + "<section style='height:900px;background:#00aa00;opacity:0'></section>" * 4
        + "<script>"
        "const seen = new IntersectionObserver(all => all.forEach(each => {"
        "each.target.style.opacity = each.isIntersecting ? 1 : 0 }));"
        "document.querySelectorAll('section').forEach(each => seen.observe(each))</script>"
    )
    # When the full page is captured, then all of it is there
    pixels = studio.pixels(page, **FULL)
    assert pixels.size == (1280, 3600)
    assert [y for y in range(50, 3600, 100) if pixels.at(640, y) != GREEN] == []


HIDING = {
    "colour": ("background: #ff0000", "background: #00aa00"),
    "background-image": ("background: none", "background-image: linear-gradient(#00aa00, #00aa00)"),
    "transform": ("background: #00aa00; transform: translateX(-100vw)", "transform: none"),
    "scale": ("background: #00aa00; transform: scale(0)", "transform: none"),
    "filter": ("background: #00aa00; filter: brightness(0)", "filter: none"),
    "clip-path": ("background: #00aa00; clip-path: inset(50%)", "clip-path: none"),
}


@pytest.mark.parametrize(("hidden", "shown"), HIDING.values(), ids=list(HIDING))
def test_blocks_that_look_different_out_of_view_are_shown_as_in_view(studio: Studio, hidden: str, shown: str) -> None:
    # Given blocks that are shown only while most of them is in view, by whatever property
    page = (
        "<style>body{margin:0;overflow-x:hidden}section{height:400px}"
        f"section i{{display:block;height:100%;{hidden}}}"
        f"section.in i{{{shown}}}</style>"
        + "<section><i></i></section>"
        * 8
        + "<script>const seen = new IntersectionObserver(all => all.forEach(each => "
        "each.target.classList.toggle('in', each.intersectionRatio > .5)), {threshold: [0, .6]});"
        "document.querySelectorAll('section').forEach(each => seen.observe(each))</script>"
    )
    # When the full page is captured, then each is as it is in view
    pixels = studio.pixels(page, **FULL)
    assert [y for y in range(50, 3200, 100) if pixels.at(640, y) != GREEN] == []


def test_images_that_are_unloaded_out_of_view_are_there(studio: Studio) -> None:
    # Given a list that takes the source of each image away once it is out of view
    page = (
        "<style>body{margin:0}img{display:block;width:100%;height:400px;background:#ff0000}</style>"
        + "<img>" * 8
        + "<script>const seen = new IntersectionObserver(all => all.forEach(({target, isIntersecting}) => "
        "isIntersecting ? target.src = '/image?colour=00aa00' : target.removeAttribute('src')));"
        "document.querySelectorAll('img').forEach(each => seen.observe(each))</script>"
    )
    # When the full page is captured, then each has its picture
    pixels = studio.pixels(page, **FULL)
    assert [y for y in range(50, 3200, 100) if pixels.at(640, y) != GREEN] == []
