"""Several elements: all matches of a selector, or several selectors, in one image or in one of each as well."""

from __future__ import annotations

import pytest

from stillframe.errors import InvalidRequest, SelectorNotFound
from stillframe.request.options import RenderOptions
from tests.support.pixels import BLUE, GREEN, Pixels

from .conftest import Studio

WHITE = (255, 255, 255)
# Boxes of 100 x 50, at 300, 1500 and 2700 px.
CARDS = "<style>.card{position:absolute;left:200px;width:100px;height:50px;background:#00aa00}</style>" + "".join(
    f"<div class=card style='top:{top}px'></div>" for top in (300, 1500, 2700)
)
HEAD = "<h1 style='position:absolute;left:50px;top:100px;width:80px;height:40px;margin:0;background:#0000ff'></h1>"


def test_all_matches_are_in_one_image(studio: Studio) -> None:
    # Given / When all matches are captured, one of which cannot be seen
    page = CARDS + "<div class=card style='top:9000px;visibility:hidden'></div>"
    pixels = studio.pixels(page, selector=".card", matches="all")
    # Then the image is the smallest one that has all the others
    assert pixels.size == (100, 2450)
    assert [pixels.at(50, y) for y in (25, 500, 1225, 2425)] == [GREEN, WHITE, GREEN, GREEN]


def test_several_selectors_are_in_one_image(studio: Studio) -> None:
    pixels = studio.pixels(CARDS + HEAD, selector=["h1", ".card"], padding=10)
    assert pixels.size == (270, 270)
    assert (pixels.at(20, 20), pixels.at(250, 250)) == (BLUE, GREEN)


def test_each_element_has_an_image_of_its_own(studio: Studio) -> None:
    # Given / When several elements are captured separately
    result = studio.render(CARDS + HEAD, selector=["h1", ".card"], matches="all", separate=True, deviceScaleFactor=2)
    # Then the image of all has one image each beside it, in the order of the selectors and of the page
    assert (result.width, result.height) == (500, 5300)
    images = {extra.file: Pixels(extra.data) for extra in result.extras}
    assert list(images) == [f"element-{number}.png" for number in range(1, 5)]
    assert images["element-1.png"].size == (160, 80)
    assert images["element-1.png"].is_all(BLUE)
    assert all(images[f"element-{number}.png"].size == (200, 100) for number in range(2, 5))
    assert all(images[f"element-{number}.png"].is_all(GREEN) for number in range(2, 5))


@pytest.mark.parametrize(("image_format", "file"), [("jpeg", "jpg"), ("webp", "webp"), ("avif", "avif")])
def test_separate_images_have_the_format_of_the_image(studio: Studio, image_format: str, file: str) -> None:
    result = studio.render(HEAD, selector="h1", separate=True, format=image_format)
    assert [extra.file for extra in result.extras] == [f"element-1.{file}"]
    assert Pixels(result.extras[0].data).size == (80, 40)


def test_what_appears_on_scrolling_is_in_every_match(studio: Studio) -> None:
    page = CARDS.replace("#00aa00", "#ff0000") + (
        "<script>const o = new IntersectionObserver(es => es.forEach(e => { if (e.isIntersecting)"
        "e.target.style.background = '#00aa00' }), { threshold: 1 });"
        "document.querySelectorAll('.card').forEach(e => o.observe(e))</script>"
    )
    pixels = studio.pixels(page, selector=".card", matches="all")
    assert [pixels.at(50, y) for y in (25, 1225, 2425)] == [GREEN] * 3


def test_a_selector_without_a_match_is_named(studio: Studio) -> None:
    error = studio.render_error(CARDS + HEAD, selector=["h1", ".nobody"])
    assert isinstance(error, SelectorNotFound)
    assert "no visible element of the page matches .nobody" in str(error)


def test_too_many_separate_images_are_left_out_by_name(studio: Studio) -> None:
    page = "<i style='display:block;height:10px;background:#00aa00'></i>" * 60
    result = studio.render(page, selector="i", matches="all", separate=True)
    assert len(result.extras) == 50
    assert result.facts.left_out == {"element-51 to element-60": "more than 50 elements"}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"matches": "all"}, "matches needs selector"),
        ({"separate": True}, "separate needs selector"),
        ({"selector": []}, "selector: must be a CSS selector of 1 to 1000 characters, or a list of 1 to 20"),
        ({"selector": ["h1"], "fullPage": True}, "selector and fullPage conflict"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, object], problem: str) -> None:
    with pytest.raises(InvalidRequest, match=problem):
        RenderOptions.parse(options)
