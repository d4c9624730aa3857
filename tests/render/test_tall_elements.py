"""Elements that are larger than what scrolls around them, and drawings that exceed their boxes."""

from __future__ import annotations

import pytest

from tests.support.pixels import BLUE, GREEN

from .conftest import Studio

WHITE = (255, 255, 255)
TALL = "<div id=x style='height:2000px;width:200px;background:linear-gradient(#0000ff 1900px, #00aa00 0)'></div>"
AROUND = {
    "list": f"<div style='height:300px;overflow:auto'>{TALL}</div><p>below</p>",
    "shell": (
        "<style>body{display:flex;flex-direction:column;height:100vh;overflow:hidden}main{flex:1;overflow:auto}</style>"
        f"<header style='height:50px'></header><main><article>{TALL}</article></main>"
    ),
    "nested": f"<div style='height:500px;overflow:auto'><div style='height:300px;overflow:auto'>{TALL}</div></div>",
    "frame": f"<iframe style='border:0;width:100%;height:300px' srcdoc=\"<body style='margin:0'>{TALL}\"></iframe>",
    "shadow-root": (
        "<div id=host></div><script>host.attachShadow({mode: 'open'}).innerHTML = "
        f"`<div style='height:300px;overflow:auto'>{TALL}</div>`</script>"
    ),
}


@pytest.mark.parametrize("page", AROUND.values(), ids=list(AROUND))
def test_an_element_taller_than_what_scrolls_around_it_is_whole(studio: Studio, page: str) -> None:
    pixels = studio.pixels(page, selector="#x")
    assert (pixels.size, pixels.at(100, 5), pixels.at(100, 1500), pixels.at(100, 1990)) == (
        (200, 2000),
        BLUE,
        BLUE,
        GREEN,
    )


def test_an_element_wider_than_what_scrolls_around_it_is_whole(studio: Studio) -> None:
    # Given a wide table in a card that scrolls sideways, beside another card
    page = (
        "<div style='display:flex'><div style='overflow:hidden;width:300px'><div style='overflow-x:auto'>"
        "<table id=x style='width:900px;height:100px;background:linear-gradient(90deg, #0000ff 800px, #00aa00 0)'>"
        "</table></div></div><div style='position:relative;width:600px;background:#ff0000'>other</div></div>"
    )
    # When it is captured, then it is whole, and nothing is in front of it
    pixels = studio.pixels(page, selector="#x")
    assert (pixels.size, pixels.at(5, 50), pixels.at(700, 50), pixels.at(890, 50)) == ((900, 100), BLUE, BLUE, GREEN)


def test_a_list_that_an_element_fits_in_stays_as_it_is(studio: Studio) -> None:
    page = f"<div id=w style='height:300px;width:200px;overflow:auto'>{TALL}</div>"
    pixels = studio.pixels(page, selector="#w")
    assert (pixels.size, pixels.at(100, 290)) == ((200, 300), BLUE)


@pytest.mark.parametrize("selector", ["#x", "#g"])
def test_a_stroke_is_part_of_a_drawing(studio: Studio, selector: str) -> None:
    # Given / When a circle with a stroke of 20 px, drawn at twice its size
    page = (
        "<svg width=400 height=400 style='display:block;overflow:visible' viewBox='0 0 200 200'><g id=g>"
        "<circle id=x cx=100 cy=100 r=50 fill=none stroke=#00aa00 stroke-width=20 /></g></svg>"
    )
    pixels = studio.pixels(page, selector=selector)
    # Then all of it is there: a radius of 60 units
    assert pixels.size == (240, 240)
    assert [pixels.at(x, 120) for x in (5, 35, 120, 235)] == [GREEN, GREEN, WHITE, GREEN]


def test_what_is_in_a_closed_summary_cannot_be_seen(studio: Studio) -> None:
    page = f"<details><summary>More</summary>{TALL}</details>"
    error = studio.render_error(page, selector="#x")
    assert "no visible element of the page matches #x" in str(error)
    assert studio.pixels(page.replace("<details>", "<details open>"), selector="#x").size == (200, 2000)
