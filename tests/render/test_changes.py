"""Options that block requests, change the page, or act on it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.pixels import BLUE, GREEN, RED, WHITE, Pixels

from .conftest import Studio

BANNER = "<div id=banner style='position:fixed;inset:0 0 auto 0;height:100px;background:#ff0000'></div>"


def test_html_is_rendered_as_if_it_came_from_its_url(studio: Studio) -> None:
    result = studio.render(
        "<title>given</title><img src='image?colour=0000ff'><script>document.title += location.pathname</script>"
    )
    assert result.facts.title == "given/page"
    assert result.facts.final_url == f"http://{studio.site}/page"
    # The page itself is not requested, but its image is.
    assert (studio.requested, result.facts.http_status) == (["/image"], None)


def test_html_can_be_rendered_without_a_network(studio: Studio) -> None:
    page = "<body style='background:#00aa00'><img src='/image' style='display:block'>"
    result = studio.render(page, offline=True)
    assert studio.requested == []
    assert result.facts.failed_requests == 1


@pytest.mark.parametrize(
    ("options", "requested"),
    [
        ({}, {"/image", "/script", "/style"}),
        ({"blockResources": ["image"]}, {"/script", "/style"}),
        ({"blockResources": ["script", "stylesheet"]}, {"/image"}),
        ({"blockUrls": ["*/image*"]}, {"/script", "/style"}),
        ({"blockUrls": ["*/im?ge*", "*code=*"]}, {"/style"}),
        ({"blockUrls": ["*/image"]}, {"/image", "/script", "/style"}),
    ],
)
def test_blocked_resources_are_not_requested(studio: Studio, options: dict[str, Any], requested: set[str]) -> None:
    studio.render(
        "<link rel=stylesheet href='/style?css=a'><img src='/image?n=1'><script src='/script?code=1'></script>",
        **options,
    )
    assert set(studio.requested) == requested


def test_the_page_itself_is_not_blocked(studio: Studio) -> None:
    assert studio.visit("/page", blockUrls=["*"]).facts.http_status == 200


def test_styles_and_scripts_are_added(studio: Studio) -> None:
    assert studio.pixels(BANNER, css="body { background: #00aa00 }").at(5, 500) == GREEN
    assert studio.pixels(BANNER, js="document.body.style.background = '#0000ff'").at(5, 500) == BLUE
    assert (
        studio.pixels(
            BANNER, js="await new Promise(r => setTimeout(r, 50)); document.body.style.background = 'blue'"
        ).at(5, 500)
        == BLUE
    )


def test_a_content_security_policy_does_not_stop_added_styles(studio: Studio) -> None:
    result = studio.visit("/policy", css="body { background: #00aa00 } h1 { display: none }")
    assert result.facts.title == "strict"
    assert Pixels(result.data).is_all(GREEN)


def test_elements_are_hidden_or_removed(studio: Studio) -> None:
    page = (
        "<div class=a style='height:100px;background:#ff0000'></div><div style='height:100px;background:#00aa00'></div>"
    )
    assert [studio.pixels(page).at(5, y) for y in (50, 150)] == [RED, GREEN]
    assert [studio.pixels(page, hide=[".a"]).at(5, y) for y in (50, 150)] == [WHITE, GREEN]
    assert [studio.pixels(page, remove=[".a"]).at(5, y) for y in (50, 150)] == [GREEN, WHITE]


def test_an_element_that_a_script_adds_later_is_hidden_too(studio: Studio) -> None:
    page = f"<script>setTimeout(() => {{ document.body.innerHTML = `{BANNER}` }}, 50)</script><body>"
    assert studio.pixels(page).at(5, 50) == RED
    assert studio.pixels(page, remove=["#banner"]).is_all(WHITE)


def test_elements_are_clicked_in_the_given_order(studio: Studio) -> None:
    page = (
        "<button id=one onclick='document.title += 1'>x</button>"
        "<div style='height:3000px'></div><button id=two onclick='document.title += event.isTrusted'>y</button>"
    )
    assert studio.render(page, click=["#one", "#two"]).facts.title == "1true"


def test_the_page_is_scrolled_to_an_element_or_a_position(studio: Studio) -> None:
    page = (
        "<div style='height:2000px;background:#ff0000'></div>"
        "<div id=there style='height:2000px;background:#00aa00'></div>"
    )
    assert studio.pixels(page).is_all(RED)
    assert studio.pixels(page, scrollTo="#there").is_all(GREEN)
    assert studio.pixels(page, scrollTo=2000).is_all(GREEN)


def test_the_capture_waits_for_an_element_or_a_condition(studio: Studio) -> None:
    page = (
        "<body style='background:#ff0000'><script>window.ready = false; setTimeout(() => { ready = true;"
        "document.body.innerHTML = '<i id=there>x</i>'; document.body.style.background = '#00aa00' }, 900)</script>"
    )
    assert studio.pixels(page, waitUntil="load").at(640, 400) == RED
    assert studio.pixels(page, waitUntil="load", waitForSelector="#there").at(640, 400) == GREEN
    assert studio.pixels(page, waitUntil="load", waitForFunction="window.ready").at(640, 400) == GREEN


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"js": "nonsense("}, "SCRIPT_FAILED"),
        ({"js": "throw new Error('no')"}, "SCRIPT_FAILED"),
        ({"waitForFunction": "nobody.knows"}, "SCRIPT_FAILED"),
        ({"click": ["#nobody"]}, "SELECTOR_NOT_FOUND"),
        ({"scrollTo": "#nobody"}, "SELECTOR_NOT_FOUND"),
        ({"selector": "#nobody"}, "SELECTOR_NOT_FOUND"),
        ({"selector": "a["}, "INVALID_REQUEST"),
        ({"hide": ["a["]}, "INVALID_REQUEST"),
        ({"waitForSelector": ">>"}, "INVALID_REQUEST"),
        ({"waitForSelector": "#nobody", "timeoutMs": 400, "strict": True}, "READY_TIMEOUT"),
    ],
)
def test_an_impossible_option_has_its_own_error_code(studio: Studio, options: dict[str, Any], code: str) -> None:
    assert studio.render_error("<p>text</p>", **options).code == code


def test_a_wait_that_times_out_is_reported_with_the_screenshot(studio: Studio) -> None:
    result = studio.render("<body style='background:#00aa00'>", waitForSelector="#nobody", timeoutMs=500)
    assert (result.facts.settled, result.facts.unsettled) == (False, "waitForSelector")


def test_the_page_is_scrolled_to_a_distance_from_an_element(studio: Studio) -> None:
    # Given a page whose header covers what is scrolled to, and a list that scrolls by itself
    page = (
        "<header style='position:fixed;top:0;height:80px;width:100%;background:#0000ff'></header>"
        "<div style='height:2000px'></div><div id=there style='height:2000px;background:#00aa00'></div>"
    )
    inner = f"<main style='height:100vh;overflow:auto'>{page}</main>"
    # When it is scrolled to an element with an offset, then the element is as far below the top of the window
    for each in (page, inner):
        pixels = studio.pixels(each, scrollTo={"selector": "#there", "offset": -80})
        assert [pixels.at(640, y) for y in (40, 79, 81)] == [BLUE, BLUE, GREEN]
        assert pixels.at(640, 799) == GREEN
        assert studio.pixels(each, scrollTo={"selector": "#there", "offset": 500}).at(640, 100) == GREEN
