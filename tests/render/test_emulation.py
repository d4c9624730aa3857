"""Screen, preferences, location and identity, as the page and the screenshot show them."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.image.render_result import RenderResult
from stillframe.request.options.devices import DEVICES
from tests.support.pixels import GREEN, RED, Pixels
from tests.support.rendering import render_each

from .conftest import Studio


@pytest.mark.parametrize(
    ("options", "expression", "value"),
    [
        ({}, "[innerWidth, innerHeight, devicePixelRatio]", "1280,800,1"),
        ({"viewport": {"width": 500, "height": 300}}, "[innerWidth, innerHeight]", "500,300"),
        ({}, "[outerWidth, outerHeight]", "1280,800"),
        ({"viewport": {"width": 500, "height": 300}}, "[outerWidth, outerHeight]", "500,300"),
        ({"device": "iphone-15"}, "outerWidth", "393"),
        (
            {},
            "[screen.width, screen.height, screen.availWidth, screen.orientation.type]",
            "1280,800,1280,landscape-primary",
        ),
        ({}, "matchMedia('(device-width: 1280px)').matches", "true"),
        ({"device": "iphone-15"}, "screen.orientation.type", "portrait-primary"),
        ({"deviceScaleFactor": 2}, "devicePixelRatio", "2"),
        ({}, "navigator.maxTouchPoints", "0"),
        ({"touch": True}, "'ontouchstart' in window", "true"),
        ({}, "matchMedia('(prefers-color-scheme: dark)').matches", "false"),
        ({"colorScheme": "dark"}, "matchMedia('(prefers-color-scheme: dark)').matches", "true"),
        ({}, "matchMedia('(prefers-reduced-motion: reduce)').matches", "false"),
        ({"reducedMotion": True}, "matchMedia('(prefers-reduced-motion: reduce)').matches", "true"),
        ({"media": "print"}, "matchMedia('print').matches", "true"),
        ({}, "navigator.languages", "en-US,en"),
        ({"locale": "de-DE"}, "navigator.languages", "de-DE,de"),
        ({"locale": "de-DE"}, "navigator.language + (1234.5).toLocaleString()", "de-DE1.234,5"),
        ({"timezone": "Asia/Kolkata"}, "new Date(0).getHours() + ':' + new Date(0).getMinutes()", "5:30"),
        ({}, "[navigator.userAgentData.platform, navigator.userAgentData.mobile]", "Linux,false"),
        ({"device": "pixel-8"}, "[navigator.userAgentData.platform, navigator.userAgentData.mobile]", "Android,true"),
        ({"device": "ipad-mini"}, "[navigator.platform, navigator.userAgentData.mobile]", "iPad,true"),
        ({"userAgent": "Test/1.0"}, "navigator.userAgent", "Test/1.0"),
        ({}, "navigator.userAgent.includes('Headless')", "false"),
        (
            {"device": "iphone-15"},
            "[screen.width, devicePixelRatio, navigator.userAgent.includes('iPhone')]",
            "393,3,true",
        ),
        ({"device": "iphone-15", "deviceScaleFactor": 1}, "[screen.width, devicePixelRatio]", "393,1"),
        ({"preset": "link-preview"}, "[innerWidth, innerHeight]", "1200,630"),
    ],
)
def test_the_page_sees_the_options(studio: Studio, options: dict[str, Any], expression: str, value: str) -> None:
    assert studio.evaluate(expression, **options) == value


MOUSE = "(hover: hover) and (any-hover: hover) and (pointer: fine) and (any-pointer: fine)"
FINGER = "(hover: none) and (any-hover: none) and (pointer: coarse) and (any-pointer: coarse)"


@pytest.mark.parametrize(
    ("options", "pointer"),
    [
        ({}, MOUSE),
        ({"device": "laptop-hidpi"}, MOUSE),
        ({"touch": True}, FINGER),
        ({"device": "galaxy-s24"}, FINGER),
        ({"device": "galaxy-s24", "touch": False}, MOUSE),
    ],
)
def test_a_page_sees_a_mouse_or_else_a_finger(studio: Studio, options: dict[str, Any], pointer: str) -> None:
    # Given a page that is green with one kind of pointer only, by its style sheet
    page = f"<style>body{{background:#ff0000}}@media {pointer}{{body{{background:#00aa00}}}}</style>"
    script = f"<script>document.title = matchMedia('{pointer}').matches</script>"
    # When it is captured
    result = studio.render(page + script, viewport={"width": 300, "height": 300}, **options)
    # Then it is green, and its scripts see the same pointer
    assert (Pixels(result.data).is_all(GREEN), result.facts.title) == (True, "true")


def test_touch_and_mouse_are_apart_in_one_browser(studio: Studio) -> None:
    # Given requests with and without touch, which one browser captures at the same time
    page = f"/page?body=<script>document.title = [matchMedia('{MOUSE}'), matchMedia('{FINGER}')].map(m => m.matches)"
    url = f"http://{studio.site}{page}</script>"
    # When they are captured
    results = render_each(studio.engine, {str(n): (url, {"touch": n % 2 == 0}) for n in range(6)})
    # Then each sees its own pointer
    titles = [each.facts.title for each in results.values() if isinstance(each, RenderResult)]
    assert titles == ["false,true", "true,false"] * 3


@pytest.mark.parametrize(
    ("options", "languages"),
    [({}, "en-US,en;q=0.9"), ({"locale": "de-DE"}, "de-DE,de;q=0.9"), ({"headers": {"Accept-Language": "x"}}, "x")],
)
def test_a_site_is_told_which_languages_the_user_reads(studio: Studio, options: dict[str, Any], languages: str) -> None:
    assert studio.visit("/headers?name=Accept-Language", **options).facts.title == languages


def test_a_mobile_screen_obeys_the_viewport_tag(studio: Studio) -> None:
    page = "<meta name=viewport content='width=600'><div style='width:600px;height:9px'></div>"
    script = "<script>document.title = document.documentElement.clientWidth</script>"
    viewport = {"width": 400, "height": 400}
    assert studio.render(page + script, viewport=viewport).facts.title == "400"
    assert studio.render(page + script, viewport=viewport, mobile=True).facts.title == "600"


@pytest.mark.parametrize("tag", ["", "<meta name=viewport content='width=600'>"])
def test_a_page_wider_than_a_mobile_screen_is_completely_visible(studio: Studio, tag: str) -> None:
    # Given a page without a viewport tag, or with one that sets a width
    script = "<script>document.title = Math.round(visualViewport.width - document.documentElement.clientWidth)</script>"
    stripes = "<body style='margin:0;height:100vh;background:linear-gradient(90deg, #ff0000 50%, #00aa00 50%)'>"
    # When it is captured on a small mobile screen
    options = {"viewport": {"width": 400, "height": 400}, "mobile": True}
    result = studio.render(tag + stripes + script, **options)
    # Then its whole width is visible, to the page and in the screenshot
    assert result.facts.title == "0"
    pixels = Pixels(result.data)
    assert [pixels.at(x, 200) for x in (10, 390)] == [RED, GREEN]


def test_the_color_scheme_is_applied(studio: Studio) -> None:
    page = "<style>body{background:#ff0000}@media(prefers-color-scheme:dark){body{background:#00aa00}}</style>"
    assert studio.pixels(page).is_all(RED)
    assert studio.pixels(page, colorScheme="dark").is_all(GREEN)


def test_print_styles_are_applied(studio: Studio) -> None:
    page = "<style>body{background:#ff0000}@media print{body{background:#00aa00}}</style>"
    assert studio.pixels(page, media="print").is_all(GREEN)


def test_a_geolocation_is_given_only_with_the_option(studio: Studio) -> None:
    page = (
        "<script>navigator.geolocation.getCurrentPosition("
        "p => { document.title = p.coords.latitude }, e => { document.title = 'denied' })</script>"
    )
    place = {"latitude": 48.85, "longitude": 2.35}
    assert studio.visit(f"/page?body={page}", geolocation=place, delayMs=300).facts.title == "48.85"
    assert studio.visit(f"/page?body={page}", delayMs=300).facts.title == "denied"


def test_a_page_can_be_captured_without_its_scripts(studio: Studio) -> None:
    page = (
        "<style>p{position:absolute;inset:0;margin:0;background:#ff0000}</style>"
        "<body style='background:#00aa00'><noscript><p></noscript>"
        "<script>document.body.style.background = '#0000ff'</script>"
    )
    assert studio.pixels(page, javaScriptEnabled=False).at(5, 5) == RED


@pytest.mark.parametrize(
    ("options", "words"),
    [({"timezone": "Mars/Olympus"}, "timezone"), ({"locale": "xx-ZZZZZ-1"}, "locale"), ({"device": "nokia"}, "device")],
)
def test_a_value_unknown_to_the_browser_is_refused_by_name(studio: Studio, options: dict[str, Any], words: str) -> None:
    with pytest.raises(Exception, match=words) as refused:
        studio.render("", **options)
    assert getattr(refused.value, "code", "") == "INVALID_REQUEST"


@pytest.mark.parametrize("name", DEVICES)
def test_every_device_has_its_size(studio: Studio, name: str) -> None:
    result = studio.render("<body style='background:#00aa00'>", device=name)
    viewport, scale = DEVICES[name]["viewport"], DEVICES[name]["deviceScaleFactor"]
    assert result.width == pytest.approx(viewport["width"] * scale, abs=1)
    assert result.height == pytest.approx(viewport["height"] * scale, abs=1)
