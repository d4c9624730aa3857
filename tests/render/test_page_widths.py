"""Full pages that are wider than the window, to the right or to the left."""

from __future__ import annotations

import pytest

from tests.support.pixels import BLUE, GREEN, RED, Pixels

from .conftest import Studio

FULL = {"fullPage": True}


def test_a_full_page_is_as_wide_as_its_content(studio: Studio) -> None:
    page = "<div style='width:2200px;height:900px;background:linear-gradient(90deg, #0000ff 2000px, #00aa00 0)'></div>"
    result, pixels = studio.render(page, **FULL), studio.pixels(page, **FULL)
    assert (pixels.size, pixels.at(2100, 450)) == ((2200, 900), GREEN)
    assert result.facts.page_width is None


RIGHT_TO_LEFT = (
    "<html dir=rtl><div style='width:2200px;height:900px;background:linear-gradient(90deg, #0000ff 1000px, #00aa00 0)'>"
    "</div>"
    "<p id=x style='position:absolute;left:-700px;top:1000px;width:100px;height:50px;margin:0;background:#ff0000'></p>"
    "<nav style='position:fixed;bottom:0;left:0;width:100%;height:50px;background:#ff0000'></nav>"
)


def test_a_page_from_right_to_left_is_whole(studio: Studio) -> None:
    # Given / When a full page that goes on to the left
    result, pixels = studio.render(RIGHT_TO_LEFT, **FULL), studio.pixels(RIGHT_TO_LEFT, **FULL)
    # Then it begins there, and what is fixed is where the window is at first
    assert pixels.size == (2200, 1050)
    assert [pixels.at(x, 450) for x in (10, 990, 1010, 2190)] == [BLUE, BLUE, GREEN, GREEN]
    assert [pixels.at(x, 1010) == RED for x in (230, 910, 930, 2190)] == [True, False, True, True]
    assert result.facts.page_width is None


@pytest.mark.parametrize("padding", [0, 10])
def test_an_element_on_the_left_of_such_a_page_is_captured(studio: Studio, padding: int) -> None:
    pixels = studio.pixels(RIGHT_TO_LEFT, selector="#x", padding=padding)
    assert pixels.size == (100 + 2 * padding, 50 + 2 * padding)
    assert [pixels.at(x, padding + 25) for x in (padding, padding + 50, padding + 99)] == [RED] * 3


@pytest.mark.parametrize("mode", ["vertical-rl", "vertical-lr"])
@pytest.mark.parametrize("part", ["", "<body style='margin:0'><p style='margin:0'>"], ids=["div", "body"])
@pytest.mark.parametrize("doctype", ["<!doctype html>", ""], ids=["standards", "quirks"])
def test_a_page_of_vertical_lines_is_whole(studio: Studio, doctype: str, part: str, mode: str) -> None:
    page = (
        f"<html style='writing-mode:{mode}'><style>html,body{{margin:0}}</style>{part}"
        "<div style='width:2200px;height:300px;background:linear-gradient(90deg, #0000ff 1000px, #00aa00 0)'></div>"
    )
    pixels = Pixels(studio.document(doctype + page, **FULL).data)
    assert (pixels.size, [pixels.at(x, 150) for x in (990, 1010, 2190)]) == ((2200, 800), [BLUE, GREEN, GREEN])


def test_the_width_that_a_full_page_does_not_show_is_recorded(studio: Studio) -> None:
    page = "<div style='width:20000px;height:300px;background:#00aa00'></div>"
    result = studio.render(page, **FULL, format="webp")
    assert (result.width, result.facts.page_width) == (16383, 20000)


DRAWER = "<div style='position:absolute;top:0;left:100%;width:400px;height:300px;background:#ff0000'></div>"


@pytest.mark.parametrize(
    "style",
    [
        "body{overflow-x:hidden}",
        "html{overflow-x:hidden}",
        "html,body{overflow:hidden;height:100%}",
        "html{overflow-x:clip}",
        "body{overflow:hidden}html{overflow:hidden auto}",
    ],
)
def test_what_nobody_can_scroll_to_does_not_widen_a_full_page(studio: Studio, style: str) -> None:
    # Given a page with a drawer beside the window, which does not scroll sideways
    page = f"<style>body{{margin:0}}{style}</style><p style='height:600px;margin:0;background:#00aa00'></p>{DRAWER}"
    # When the full page is captured
    result = studio.render(page, **FULL)
    # Then it is as wide as the window, and no width is missing
    assert (result.width, result.facts.page_width) == (1280, None)


def test_what_can_be_scrolled_to_does(studio: Studio) -> None:
    assert studio.render(f"<style>body{{overflow-y:hidden}}</style>{DRAWER}", **FULL).width == 1680
