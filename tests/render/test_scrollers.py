"""Full pages whose window does not scroll: an element or a frame does so in its place."""

from __future__ import annotations

import pytest

from tests.support.pixels import BLUE, GREEN

from .conftest import Studio

FULL = {"fullPage": True}
LONG = "<div style='height:2600px;background:#0000ff'></div><div style='height:400px;background:#00aa00'></div>"
SCROLLERS = {
    "body": f"<style>html{{overflow:hidden;height:100%}}body{{height:100%;overflow:auto}}</style>{LONG}",
    "root-and-body": f"<style>html,body{{height:100%;overflow:auto}}</style>{LONG}",
    "element": f"<main style='height:100vh;overflow-y:scroll'>{LONG}</main>",
    "absolute": f"<div style='position:absolute;inset:0;overflow:auto'>{LONG}</div>",
    "fixed": f"<div style='position:fixed;inset:0'><div style='height:100%;overflow:auto'>{LONG}</div></div>",
    "grid": (
        "<div style='display:grid;grid-template-rows:1fr;height:100vh;overflow:hidden'>"
        f"<div style='overflow:auto;min-height:0'>{LONG}</div></div>"
    ),
    "shadow-root": (
        "<div id=host style='display:block;height:100vh'></div><script>host.attachShadow({mode: 'open'}).innerHTML = "
        f"`<div style='height:100%;overflow:auto'>{LONG}</div>`</script>"
    ),
    "frame": f"<iframe style='border:0;width:100%;height:100vh' srcdoc=\"<body style='margin:0'>{LONG}\"></iframe>",
}


@pytest.mark.parametrize("page", SCROLLERS.values(), ids=list(SCROLLERS))
def test_content_that_scrolls_in_an_element_is_shown_whole(studio: Studio, page: str) -> None:
    # Given / When a full page whose window does not scroll
    result = studio.render(page, **FULL)
    # Then all of what scrolls in its place is there, and the record says what that is
    pixels = studio.pixels(page, **FULL)
    assert pixels.size == (1280, 3000)
    assert (pixels.at(640, 100), pixels.at(640, 1500), pixels.at(640, 2900)) == (BLUE, BLUE, GREEN)
    assert result.facts.scroller is not None


def test_the_shell_around_a_scroller_stays(studio: Studio) -> None:
    # Given an application shell with a header and a footer around what scrolls
    page = (
        "<style>body{display:flex;flex-direction:column;height:100vh;overflow:hidden}main{flex:1;overflow:auto}</style>"
        f"<header style='height:50px;background:#00aa00'></header><main>{LONG}</main>"
        "<footer style='height:30px;background:#00aa00'></footer>"
    )
    # When it is captured, then both are around the whole content
    pixels = studio.pixels(page, **FULL)
    assert pixels.size == (1280, 3080)
    assert [pixels.at(640, y) for y in (25, 60, 3030, 3065)] == [GREEN, BLUE, GREEN, GREEN]


def test_a_scroller_beside_a_sidebar_keeps_its_width(studio: Studio) -> None:
    # Given an application shell with a sidebar beside what scrolls
    page = (
        "<style>body{display:flex;height:100vh;overflow:hidden}main{flex:1;overflow:auto}</style>"
        f"<nav style='width:240px;background:#00aa00'></nav><main>{LONG}</main>"
    )
    # When it is captured, then it has the width that the sidebar leaves
    pixels = studio.pixels(page, **FULL)
    assert (pixels.size, pixels.at(250, 1500), pixels.at(1270, 1500)) == ((1280, 3000), BLUE, BLUE)
    assert pixels.at(120, 100) == GREEN


def test_a_list_that_scrolls_in_a_page_stays_as_it_is(studio: Studio) -> None:
    page = f"<div style='height:500px;overflow:auto'>{LONG}</div><div style='height:1500px;background:#00aa00'></div>"
    pixels = studio.pixels(page, **FULL)
    assert (pixels.size, pixels.at(640, 499), pixels.at(640, 501)) == ((1280, 2000), BLUE, GREEN)


# Rows of 300 px, of which only those exist that are in view.
ROWS = (
    "<style>#list{position:relative;height:4140px}p{position:absolute;height:300px;width:100%%;margin:0}</style>"
    "<div id=list></div><script>const s = %s; const draw = () => { let rows = ''; for (let top = 0; top < 4140;"
    "top += 690) { if (top < s.scrollTop + s.clientHeight && top + 300 > s.scrollTop)"
    "rows += `<p style='top:${top}px;background:#00aa00'></p>` }"
    "list.innerHTML = rows }; (s === document.scrollingElement ? window : s).addEventListener('scroll', draw); draw()"
    "</script>"
)
SHELL = (
    "<style>body{{display:flex;flex-direction:column;height:100vh;overflow:hidden}}main{{flex:1;overflow:auto}}</style>"
    "<header style='height:50px;background:#0000ff'></header><main id=m>{}</main>"
    "<footer style='height:30px;background:#0000ff'></footer>"
)


def test_rows_that_exist_only_in_view_of_an_inner_scroller_are_there(studio: Studio) -> None:
    # Given an application shell around a list that reuses its rows
    page = SHELL.format(ROWS % "m")
    # When the full page is captured
    result, pixels = studio.render(page, **FULL), studio.pixels(page, **FULL)
    # Then all rows are there, between the header and the footer, and what lies between the rows is blank
    assert pixels.size == (1280, 4220)
    assert [pixels.at(640, 50 + 690 * number + 150) for number in range(6)] == [GREEN] * 6
    assert [pixels.at(640, 50 + 690 * number + 500) for number in range(5)] == [(255, 255, 255)] * 5
    assert [pixels.at(640, y) for y in (25, 4205)] == [BLUE, BLUE]
    assert result.facts.scroller == "main#m"


def test_a_sidebar_beside_rows_that_exist_only_in_view_is_there_once(studio: Studio) -> None:
    page = (
        "<style>body{display:flex;height:100vh;overflow:hidden}main{flex:1;overflow:auto}</style>"
        "<nav style='width:240px'><div style='height:90px;background:#0000ff'></div></nav>"
        f"<main id=m>{ROWS % 'm'}</main>"
    )
    pixels = studio.pixels(page, **FULL)
    assert pixels.size == (1280, 4140)
    assert [pixels.at(700, 690 * number + 150) for number in range(6)] == [GREEN] * 6
    assert pixels.at(100, 45) == BLUE
    assert not any(pixels.at(100, 800 * number + 45) == BLUE for number in range(1, 5))


def test_rows_that_come_while_tiles_are_taken_are_masked(studio: Studio) -> None:
    for page in (SHELL.format(ROWS % "m"), ROWS % "document.scrollingElement"):
        pixels = studio.pixels(page, **FULL, mask=["p"], maskColor="#0000ff")
        seen = {pixels.at(640, y) for y in range(0, pixels.size[1], 10)}
        assert GREEN not in seen
        assert BLUE in seen
