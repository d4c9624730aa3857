"""What is fixed to the window, in a full page: bars, dialogs, backgrounds and backdrops."""

from __future__ import annotations

import pytest

from tests.support.pixels import BLUE, GREEN, near

from .conftest import Studio

FULL = {"fullPage": True}


FIXED = {
    "bar": "<div style='position:fixed;bottom:0;left:0;width:100%;height:60px;background:#00aa00'></div>",
    "in-a-shadow-root": (
        "<div id=host></div><script>host.attachShadow({mode: 'open'}).innerHTML = "
        "`<div style='position:fixed;bottom:0;left:0;width:100%;height:60px;background:#00aa00'></div>`</script>"
    ),
    "sticky": "<div style='position:sticky;bottom:0;height:60px;background:#00aa00'></div>",
}


@pytest.mark.parametrize("bar", FIXED.values(), ids=list(FIXED))
def test_what_is_at_the_bottom_of_the_window_is_at_the_bottom_of_the_page(studio: Studio, bar: str) -> None:
    # Given / When a long page with a bar at the bottom of the window
    page = f"<div style='height:3000px;background:#0000ff'></div>{bar}"
    pixels = studio.pixels(page, **FULL)
    # Then it is at the bottom of the page, and not where the window ended
    assert (pixels.at(640, pixels.size[1] - 30), pixels.at(640, 770)) == (GREEN, BLUE)


def test_a_bar_at_the_top_and_a_dialog_stay_where_they_are(studio: Studio) -> None:
    page = (
        "<div style='height:3000px;background:#0000ff'></div>"
        "<div style='position:fixed;top:0;left:0;width:100%;height:60px;background:#00aa00'></div>"
        "<div style='position:fixed;inset:100px;background:#00aa00'></div>"
    )
    pixels = studio.pixels(page, **FULL)
    assert [pixels.at(640, y) for y in (30, 80, 400, 2970)] == [GREEN, BLUE, GREEN, BLUE]


BACKDROPS = {
    "of-a-wrapper": "<div style='position:fixed;inset:0;background:rgba(0,0,0,.5)'><b></b></div>",
    "beside-its-dialog": (
        "<div style='position:fixed;inset:0;background:#000;opacity:.5'></div>"
        "<div style='position:fixed;inset:0'><b></b></div>"
    ),
    "inside-a-wrapper": (
        "<div style='position:fixed;inset:0'><div style='position:absolute;inset:0;background:rgba(0,0,0,.5)'></div>"
        "<b></b></div>"
    ),
    "pseudo-element": (
        "<style>#w::before{content:'';position:fixed;inset:0;background:rgba(0,0,0,.5)}</style><div id=w><b></b></div>"
    ),
    "dialog": (
        "<style>dialog::backdrop{background:rgba(0,0,0,.5)}dialog{border:0;padding:0;margin:100px auto;background:none}"
        "</style><dialog id=d><b style='position:static'></b></dialog><script>d.showModal()</script>"
    ),
}


@pytest.mark.parametrize("dialog", BACKDROPS.values(), ids=list(BACKDROPS))
def test_the_backdrop_of_a_dialog_covers_the_whole_page(studio: Studio, dialog: str) -> None:
    # Given a page under a dialog, and its backdrop that darkens the window
    page = (
        "<style>b{display:block;position:fixed;top:100px;left:340px;width:600px;height:200px;background:#0000ff}</style>"
        f"<div style='height:3000px;background:#ff0000'></div>{dialog}"
    )
    # When the full page is captured
    pixels = studio.pixels(page, **FULL)
    # Then all of it is darkened once, and the dialog is where it was
    assert pixels.size == (1280, 3000)
    assert all(near(pixels.at(50, y), (128, 0, 0)) for y in (10, 790, 810, 1500, 2990))
    assert (pixels.at(640, 200), near(pixels.at(640, 2500), (128, 0, 0))) == (BLUE, True)


def test_a_panel_that_fills_the_window_hides_no_more_than_the_window(studio: Studio) -> None:
    panel = "<div style='position:fixed;inset:0;background:#0000ff'></div>"
    page = f"<div style='height:3000px;background:#00aa00'></div>{panel}"
    pixels = studio.pixels(page, **FULL)
    assert [pixels.at(640, y) for y in (400, 1500)] == [BLUE, GREEN]


def test_a_background_that_is_fixed_to_the_window_is_behind_the_whole_page(studio: Studio) -> None:
    page = (
        "<div style='position:fixed;inset:0;z-index:-1;background:#00aa00'></div>"
        "<p style='margin:0 0 2900px;color:#fff'>text</p><p style='margin:0;height:100px'>end</p>"
    )
    pixels = studio.pixels(page, **FULL)
    assert [pixels.at(640, y) for y in (400, 1500, pixels.size[1] - 5)] == [GREEN] * 3


CLIPPED = (
    "<style>body{{margin:0}}section{{position:relative;height:700px}}p{{margin:0;height:500px;background:#0000ff}}"
    "div{{position:absolute;inset:0;overflow:hidden;{clip};z-index:-1}}"
    "i{{position:fixed;top:0;left:0;width:100%;height:100vh;background:#00aa00}}</style>"
    "<p></p><section><div><i></i></div></section><p></p><section><div><i></i></div></section><p></p>"
)


@pytest.mark.parametrize("clip", ["clip:rect(0,auto,auto,0)", "clip-path:inset(0)"])
def test_a_backdrop_that_is_fixed_within_a_block_fills_the_block(studio: Studio, clip: str) -> None:
    # Given blocks behind which an image stays where it is in the window, as a parallax
    # When the full page is captured
    pixels = studio.pixels(CLIPPED.format(clip=clip), fullPage=True)
    # Then each block has its own, and nothing else has it
    assert pixels.size == (1280, 2900)
    assert [pixels.at(640, y) for y in (250, 550, 1150, 1450, 1750, 2350, 2650)] == [
        BLUE, GREEN, GREEN, BLUE, GREEN, GREEN, BLUE,
    ]  # fmt: skip
