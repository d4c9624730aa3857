"""`mask` and `blur`: elements that a screenshot must not show."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.pixels import BLUE, GREEN, RED, WHITE, Pixels

from .conftest import Studio

MAGENTA = (255, 0, 255)
# A red element of 200 x 100 with a text, then a green one.
NAME = "<div class=name style='width:200px;height:100px;background:#ff0000;font-size:80px;line-height:1'>Ada</div>"
PAGE = f"{NAME}<div style='width:200px;height:100px;background:#00aa00'></div>"


def colours(pixels: Pixels, left: int, top: int, right: int, bottom: int) -> set[tuple[int, ...]]:
    return {pixels.at(x, y) for x in range(left, right, 3) for y in range(top, bottom, 3)}


@pytest.mark.parametrize(
    ("options", "colour"), [({}, MAGENTA), ({"maskColor": "#0000ff"}, BLUE), ({"maskColor": "#00F"}, BLUE)]
)
def test_a_masked_element_is_a_box_of_one_colour(studio: Studio, options: dict[str, Any], colour: tuple[int]) -> None:
    # Given / When a page is captured with one of its elements masked
    pixels = studio.pixels(PAGE, mask=[".name"], **options)
    # Then its whole box has that colour, and nothing else has
    assert colours(pixels, 0, 0, 200, 100) == {colour}
    assert [pixels.at(*point) for point in ((201, 50), (100, 101))] == [WHITE, GREEN]


@pytest.mark.parametrize(
    ("page", "point"),
    [
        ("<div id=host></div><script>host.attachShadow({mode: 'open'}).innerHTML = `NAME`</script>", (5, 50)),
        ("<iframe style='border:0;height:200px' srcdoc=\"<style>body{margin:0}</style>NAME\"></iframe>", (5, 50)),
        ("<div class=name style='display:contents'><p style='margin:0;height:100px'>Ada</p></div>", (5, 50)),
        ("<img class=name src='/image?colour=ff0000' style='display:block'>", (50, 50)),
        ("<svg style='display:block'><rect class=name width=100 height=100 fill=red /></svg>", (50, 50)),
        ("<div style='opacity:1'><div class=name style='height:100px;opacity:.5'>Ada</div></div>", (5, 50)),
        ("<div class=name style='height:100px;transition:all 9s;filter:invert(1)'>Ada</div>", (5, 50)),
        ("<footer class=name style='position:fixed;bottom:0;height:100px;width:100%'>Ada</footer>", (5, 750)),
        ("<dialog class=name style='margin:0;padding:0;border:0;height:100px'>Ada</dialog>"
         "<script>document.querySelector('dialog').showModal()</script>", (5, 50)),
    ],
    ids=["shadow root", "frame", "no box", "image", "drawing", "half transparent", "transition", "fixed", "dialog"],
)  # fmt: skip
def test_every_kind_of_element_is_masked(studio: Studio, page: str, point: tuple[int, int]) -> None:
    assert studio.pixels(page.replace("NAME", NAME), mask=[".name"]).at(*point) == MAGENTA


def test_what_is_masked_in_a_frame_that_is_not_displayed_does_no_harm(studio: Studio) -> None:
    frame = "<iframe style='display:none' srcdoc='<p class=name>x</p>'></iframe>"
    pixels = studio.pixels(f"{NAME}{frame}", mask=[".name"], blur=["p"])
    assert colours(pixels, 0, 0, 200, 100) == {MAGENTA}


# As scripts do that guard a page against what extensions put into it.
REMOVE_FOREIGN = """<script>onload = () => {
  const own = new Set(document.querySelectorAll('*'));
  const remove = node => own.has(node) || node.remove();
  const look = changes => changes.forEach(change => change.addedNodes.forEach(remove));
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
}</script>"""
TAKE_OFF = """<script>onload = () => {
  const name = document.querySelector('.name');
  const take = () => name.getAttribute('style') === kept || name.setAttribute('style', kept);
  const kept = name.getAttribute('style');
  new MutationObserver(take).observe(name, { attributes: true });
}</script>"""
OWN_FILTER = "<svg width=0 height=0><filter id=stillframe-mask></filter></svg>"


@pytest.mark.parametrize("more", [REMOVE_FOREIGN, TAKE_OFF, OWN_FILTER], ids=["foreign nodes", "style", "same id"])
def test_a_page_does_not_take_its_mask_off(studio: Studio, more: str) -> None:
    pixels = studio.pixels(f"{NAME}{more}", mask=[".name"])
    assert colours(pixels, 0, 0, 200, 100) == {MAGENTA}


def test_a_page_does_not_take_its_blur_off(studio: Studio) -> None:
    # Given an element with black and white stripes, whose page puts its style back
    stripes = "repeating-linear-gradient(90deg, #000 0 4px, #fff 4px 8px)"
    page = f"<div class=name style='width:200px;height:200px;background:{stripes}'></div>{TAKE_OFF}"
    # When it is blurred, then nothing in it is black or white
    assert colours(studio.pixels(page, blur=[".name"]), 80, 80, 120, 120).isdisjoint({(0, 0, 0), WHITE})


def test_a_mask_stays_with_its_element_in_a_full_page(studio: Studio) -> None:
    # Given a tall page with an element at its bottom, and one that is fixed to the bottom of the window
    footer = "<footer class=name style='position:fixed;bottom:0;height:50px'>x</footer>"
    page = f"<div style='height:3000px'></div>{NAME}{footer}"
    # When the full page is captured
    pixels = studio.pixels(page, mask=[".name"], fullPage=True)
    # Then both are masked where they are
    assert [pixels.at(150, 3030), pixels.at(1, 3099)] == [MAGENTA, MAGENTA]


def test_what_overflows_a_masked_element_is_not_shown(studio: Studio) -> None:
    name = "<b style='position:relative;left:300px;color:red'>Ada</b>"
    pixels = studio.pixels(f"<div class=name style='width:100px;height:100px'>{name}</div>", mask=[".name"])
    assert colours(pixels, 101, 0, 500, 100) == {WHITE}


def test_a_pdf_does_not_contain_what_is_masked(studio: Studio) -> None:
    # Given / When a page is printed, and again with its only text masked
    page = "<p class=name style='font-family:monospace'>Ada</p>"
    plain, masked = (studio.render(page, format="pdf", **each).data for each in ({}, {"mask": [".name"]}))
    # Then the second has no text, for which it would need a font
    assert (b"/Font" in plain, b"/FontFile" in masked) == (True, False)


def test_a_blurred_element_has_no_edges(studio: Studio) -> None:
    # Given an element with black and white stripes
    stripes = "repeating-linear-gradient(90deg, #000 0 4px, #fff 4px 8px)"
    page = f"<div class=name style='width:200px;height:200px;background:{stripes}'></div>"
    # When it is blurred, then it is grey inside
    assert {(0, 0, 0), WHITE} <= colours(studio.pixels(page), 50, 50, 150, 150)
    shades = [channel for pixel in colours(studio.pixels(page, blur=[".name"]), 80, 80, 120, 120) for channel in pixel]
    assert 110 < min(shades) <= max(shades) < 145


def test_a_larger_radius_blurs_more(studio: Studio) -> None:
    page = f"<body style='padding:100px'>{NAME}"
    near, far = (studio.pixels(page, blur=[".name"], blurRadius=radius).at(85, 150) for radius in (2, 20))
    assert (near, far != WHITE) == (WHITE, True)


def test_a_mask_without_a_match_changes_nothing(studio: Studio) -> None:
    assert studio.pixels(PAGE, mask=["#nobody"]).at(5, 5) == RED


@pytest.mark.parametrize("options", [{"mask": ["a["]}, {"blur": ["p >"]}])
def test_an_invalid_selector_of_a_mask_is_refused(studio: Studio, options: dict[str, Any]) -> None:
    assert studio.render_error(PAGE, **options).code == "INVALID_REQUEST"
