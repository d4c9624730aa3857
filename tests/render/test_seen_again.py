"""What a page replaces, covers or moves while it is out of view, and what it is like at the top afterwards."""

from __future__ import annotations

import pytest

from tests.support.pixels import BLUE, GREEN

from .conftest import Studio

FULL = {"fullPage": True}


EMPTIED = (
    "<body style='margin:0'>"
    + "<section style='height:400px;overflow:hidden;background:#00aa00'></section>" * 8
    + "<script>const seen = new IntersectionObserver(all => all.forEach(each => {%s}));"
    "document.querySelectorAll('section').forEach(each => seen.observe(each))</script>"
)
BLOCK = '<p style="margin:0;height:400px;background:#%s">%s</p>'


@pytest.mark.parametrize(
    "script",
    [
        f"each.target.innerHTML = each.isIntersecting ? '{BLOCK % ('00aa00', 'Chapter')}'"
        f" : '{BLOCK % ('ff0000', 'Loading')}'",
        "each.target.textContent = each.isIntersecting ? '' : '█ '.repeat(9000)",
    ],
    ids=["content", "text"],
)
def test_content_that_is_put_in_its_place_only_in_view_is_there(studio: Studio, script: str) -> None:
    # Given sections whose content is a placeholder while they are out of view
    # When the full page is captured, then each has its content
    pixels = studio.pixels(EMPTIED % script, **FULL)
    assert [y for y in range(350, 3200, 400) if pixels.at(1000, y) != GREEN] == []


def test_an_overlay_that_is_gone_only_in_view_is_not_shown(studio: Studio) -> None:
    # Given blocks that a pseudo-element covers while they are out of view
    page = (
        "<style>body{margin:0}section{height:400px;background:#00aa00;position:relative}"
        "section::after{content:'';position:absolute;inset:0;background:#ff0000}section.in::after{opacity:0}</style>"
        + "<section></section>"
        * 8
        + "<script>const seen = new IntersectionObserver(all => all.forEach(each => "
        "each.target.classList.toggle('in', each.isIntersecting)));"
        "document.querySelectorAll('section').forEach(each => seen.observe(each))</script>"
    )
    # When the full page is captured, then none is covered
    pixels = studio.pixels(page, **FULL)
    assert [y for y in range(50, 3200, 100) if pixels.at(640, y) != GREEN] == []


def test_what_is_hidden_again_is_found_beside_what_changes_by_itself(studio: Studio) -> None:
    # Given blocks that are shown only in view, and below them a clock and a block that has changed its colour for good
    page = (
        "<style>body{margin:0}section{height:400px;background:#ff0000}section.in{background:#00aa00}</style>"
        + "<section></section>" * 6
        + "<p id='clock'></p><div style='height:2000px'></div>"
        "<div id='late' style='height:300px;background:#0000ff'></div>"
        "<script>const seen = new IntersectionObserver(all => all.forEach(each => "
        "each.target.classList.toggle('in', each.isIntersecting)));"
        "document.querySelectorAll('section').forEach(each => seen.observe(each));"
        "setInterval(() => { clock.textContent = Date.now() }, 50);"
        "let wasDown = false; addEventListener('scroll', () => { wasDown ||= scrollY > 3000;"
        "if (wasDown && scrollY < 100) late.style.background = '#00aa00' })"
        "</script>"
    )
    # When the full page is captured, then the blocks are shown as in view
    pixels = studio.pixels(page, **FULL)
    assert [y for y in range(50, 2400, 100) if pixels.at(640, y) != GREEN] == []


BAR = (
    "<style>body{margin:0}section{height:1200px;background:#dddddd}div{height:100px}"
    "nav{height:100px;width:100%;background:#0000ff}nav.fixed{position:fixed;left:0;bottom:0}"
    "p{margin:0;height:300px;background:#00aa00}</style>"
    "<section></section><div><nav></nav></div><section></section><p></p><section></section>"
    "<script>const place = document.querySelector('div'), bar = document.querySelector('nav');"
    "const green = document.querySelector('p');"
    "const follow = () => { bar.className = place.getBoundingClientRect().bottom > innerHeight ? 'fixed' : '';"
    "const box = green.getBoundingClientRect();"
    "green.style.opacity = box.top < innerHeight && box.bottom > 0 ? 1 : 0 };"
    "addEventListener('scroll', follow); follow()</script>"
)


def test_a_bar_that_is_fixed_until_its_place_is_seen_is_in_its_place(studio: Studio) -> None:
    # Given a page taken window by window, with a bar that is at the bottom of the window until its own place comes
    # When the full page is captured
    pixels = studio.pixels(BAR, **FULL)
    # Then it is there, and nowhere else
    assert pixels.size == (1280, 4000)
    assert [y for y in range(50, 4000, 100) if pixels.at(640, y) == BLUE] == [1250]
    assert pixels.at(640, 2650) == GREEN


def test_a_header_is_as_at_the_top_after_other_places_were_visited(studio: Studio) -> None:
    # Given a header that changes its colour, slowly, once the page is scrolled, and a text that changes by itself
    page = (
        "<style>body{margin:0}nav{position:fixed;inset:0 0 auto;height:80px;background:#00aa00;transition:all .4s}"
        "nav.scrolled{background:#ff0000}section{height:1500px;background:#dddddd}</style><nav></nav>"
        "<section></section><section></section><p id=text>first</p><section></section>"
        "<script>let timer, wasDown = false; const nav = document.querySelector('nav');"
        "addEventListener('scroll', () => { wasDown ||= scrollY > 2000; clearTimeout(timer); timer = setTimeout(() => {"
        "nav.className = scrollY > 100 ? 'scrolled' : '';"
        "if (wasDown && scrollY === 0) text.textContent = 'second' }, 17)"
        "})</script>"
    )
    # When the full page is captured several times
    for _ in range(3):
        # Then the header is as a visitor sees it first
        assert studio.pixels(page, **FULL).at(640, 20) == GREEN
