"""Full pages: what appears on scrolling, and what is fixed."""

from __future__ import annotations

import pytest

from tests.support.pixels import BLUE, GREEN, Pixels, near

from .conftest import Studio

FULL = {"fullPage": True}


def test_a_button_that_appears_on_scrolling_does_not_split_the_page(studio: Studio) -> None:
    # Given a header that shrinks, and a button that leads to the top and appears once the page is scrolled
    page = (
        "<header id=h style='position:sticky;top:0;height:120px;background:#0000ff'></header>"
        "<a id=t style='position:fixed;right:0;bottom:50px;width:50px;height:50px;opacity:0;background:#ff0000'></a>"
        "<div style='height:3000px;background:#00aa00'></div><script>onscroll = () => {"
        "t.style.opacity = +(scrollY > 300); h.style.height = scrollY > 50 ? '60px' : '120px' }</script>"
    )
    # When the full page is captured, then it is as it is at its top
    pixels = studio.pixels(page, **FULL)
    assert pixels.size == (1280, 3120)
    assert [pixels.at(640, y) for y in (100, 130, 800, 1570, 3110)] == [BLUE, GREEN, GREEN, GREEN, GREEN]


def blocks(script: str, count: int = 6, height: int = 300) -> str:
    """Red blocks, which the script turns green."""
    return (
        f"<style>.x{{height:{height}px;margin-bottom:390px;background:#ff0000}}.x.g{{background:#00aa00}}</style>"
        + "<div class=x></div>" * count
        + f"<script>const all = document.querySelectorAll('.x');{script}</script>"
    )


SEEN = "const box = e.getBoundingClientRect(); return box.top < innerHeight && box.bottom > 0"
OBSERVE = (
    "const o = new IntersectionObserver(es => es.forEach(e => {{ if (e.isIntersecting) e.target.classList.add('g') }}),"
    "{}); all.forEach(e => o.observe(e))"
)
LOOK = f"const look = () => all.forEach(e => {{ if ((() => {{ {SEEN} }})()) e.classList.add('g') }});look();"
REVEALING = {
    "wholly-in-view": OBSERVE.format("{threshold: 1}"),
    "half-with-a-margin": OBSERVE.format("{threshold: .5, rootMargin: '-15% 0px'}"),
    "in-the-middle": OBSERVE.format("{rootMargin: '-30% 0px'}"),
    "debounced": f"{LOOK}let t; addEventListener('scroll', () => {{ clearTimeout(t); t = setTimeout(look, 250) }})",
    "throttled": (
        f"{LOOK}let last = 0; addEventListener('scroll', () => {{ if (Date.now() - last < 150) return;"
        "last = Date.now(); look() })"
    ),
    "polled": f"{LOOK}setInterval(look, 250)",
    "scroll-end": f"{LOOK}addEventListener('scrollend', look)",
    "idle": f"{LOOK}addEventListener('scroll', () => requestIdleCallback(look))",
}


@pytest.mark.parametrize("script", REVEALING.values(), ids=list(REVEALING))
def test_what_a_visitor_sees_while_scrolling_is_there(studio: Studio, script: str) -> None:
    # Given / When a full page whose blocks appear when they are seen
    pixels = studio.pixels(blocks(script), **FULL)
    # Then every block has been seen
    assert [pixels.at(640, 690 * number + 150) for number in range(6)] == [GREEN] * 6


def test_a_block_almost_as_tall_as_the_window_has_been_wholly_in_view(studio: Studio) -> None:
    page = "<div style='height:555px'></div>" + blocks(OBSERVE.format("{threshold: 1}"), 3, 780)
    pixels = studio.pixels(page, **FULL)
    assert [pixels.at(640, 555 + 1170 * number + 400) for number in range(3)] == [GREEN] * 3


BOTH_WAYS = {
    "observer": "<style>.x{opacity:0;transition:opacity .3s}</style>"
    + blocks(
        "const o = new IntersectionObserver(es => es.forEach(e => { e.target.style.opacity = +e.isIntersecting }));"
        "o.observe(all[4]); all.forEach((e, n) => { e.classList.add('g'); if (n != 4) e.style.opacity = 1 })"
    ),
    "listener": "<style>.x{visibility:hidden}</style>"
    + blocks(
        "const look = () => all.forEach(e => { const box = e.getBoundingClientRect(); e.classList.add('g');"
        "e.style.visibility = box.top < innerHeight && box.bottom > 0 ? 'visible' : 'hidden' });"
        "addEventListener('scroll', look); look()"
    ),
    "rows-that-are-reused": (
        "<style>#list{position:relative;height:4140px}p{position:absolute;height:300px;width:100%;margin:0}</style>"
        "<div id=list></div><script>const draw = () => { let rows = ''; for (let top = 0; top < 4140; top += 690) {"
        "if (top < scrollY + innerHeight && top + 300 > scrollY)"
        "rows += `<p style='top:${top}px;background:#00aa00'></p>` }"
        "list.innerHTML = rows }; addEventListener('scroll', draw); draw()</script>"
    ),
}


@pytest.mark.parametrize("image_format", ["png", "jpeg", "webp", "avif"])
@pytest.mark.parametrize("page", BOTH_WAYS.values(), ids=list(BOTH_WAYS))
def test_what_is_shown_only_while_it_is_in_view_is_there(studio: Studio, page: str, image_format: str) -> None:
    # Given a page with a bar at its top, which hides again what is no longer in view
    bar = "<div style='position:fixed;top:0;right:0;width:90px;height:60px;background:#0000ff'></div>"
    # When the full page is captured
    pixels = studio.pixels(page + bar, fullPage=True, format=image_format)
    # Then all of it is there, and the bar once
    assert pixels.size == (1280, 4140)
    assert [near(pixels.at(640, 690 * number + 150), GREEN) for number in range(6)] == [True] * 6
    assert near(pixels.at(1240, 30), BLUE)
    assert not any(near(pixels.at(1240, 800 * number + 30), BLUE) for number in range(1, 5))


def test_a_sidebar_is_at_the_top_of_a_page_that_is_taken_in_tiles(studio: Studio) -> None:
    page = (
        BOTH_WAYS["listener"]
        + "<nav style='position:fixed;top:60px;bottom:0;left:0;width:90px;background:#0000ff'></nav>"
    )
    pixels = studio.pixels(page, **FULL)
    assert pixels.size == (1280, 4140)
    assert [pixels.at(45, y) == BLUE for y in (30, 90, 700, 1700, 4100)] == [False, True, True, False, False]


def test_a_page_that_is_less_tall_once_it_is_seen_ends_with_its_content(studio: Studio) -> None:
    # Given a page whose last block is moved down while it is out of view
    script = (
        "const o = new IntersectionObserver(es => es.forEach(e => { e.target.classList.toggle('g', e.isIntersecting);"
        "e.target.style.transform = e.isIntersecting ? '' : 'translateY(500px)';"
        "e.target.style.opacity = e.isIntersecting ? 1 : 0 })); all.forEach(e => o.observe(e))"
    )
    page = "<style>.x:last-of-type{margin-bottom:0 !important}</style>" + blocks(script)
    # When the full page is captured, then nothing is below it
    pixels = studio.pixels(page, **FULL)
    assert (pixels.size, pixels.at(640, 3740)) == ((1280, 3750), GREEN)


COUNTERS = {
    "frames": (
        "requestAnimationFrame(function f(now) { first ??= now; show((now - first) / 2000);"
        "n < 100 && requestAnimationFrame(f) })"
    ),
    "timer": "const t = setInterval(() => { show((n + 1) / 100); n < 100 || clearInterval(t) }, 20)",
}


@pytest.mark.parametrize("run", COUNTERS.values(), ids=list(COUNTERS))
def test_a_number_at_the_end_of_a_long_page_has_counted_to_its_end(studio: Studio, run: str) -> None:
    # Given a number that counts for two seconds once it is in view, below nine windows
    page = (
        "<div style='height:7000px'></div><div id=x style='height:300px;background:#ff0000'>0</div><script>"
        "let n = 0, first; const show = part => { n = Math.min(100, Math.round(part * 100)); x.textContent = n;"
        "if (n === 100) x.style.background = '#00aa00' };"
        f"new IntersectionObserver(([e], o) => {{ if (e.isIntersecting) {{ o.disconnect(); {run} }} }}).observe(x)"
        "</script>"
    )
    # When the full page is captured, then it has counted to its end
    assert studio.pixels(page, **FULL).at(640, 7150) == GREEN


def test_a_chart_at_the_end_of_a_long_page_is_drawn_to_its_end(studio: Studio) -> None:
    page = (
        "<div style='height:7000px'></div><canvas id=x width=600 height=300></canvas><script>let first;"
        "const draw = now => { first ??= now; const part = Math.min(1, (now - first) / 1500), c = x.getContext('2d');"
        "c.fillStyle = '#00aa00'; c.fillRect(0, 0, part * 600, 300); part < 1 && requestAnimationFrame(draw) };"
        "new IntersectionObserver(([e], o) => { if (e.isIntersecting) { o.disconnect(); requestAnimationFrame(draw) }})"
        ".observe(x)</script>"
    )
    assert studio.pixels(page, **FULL).at(590, 7150) == GREEN


RED_ON = "document.querySelector('#x').style.background = '#ff0000'"
NOTICING = {
    "resize": f"addEventListener('resize', () => {{ {RED_ON} }})",
    "visual-viewport": f"visualViewport.addEventListener('resize', () => {{ {RED_ON} }})",
    "media-query": f"matchMedia('(min-height: 900px)').addEventListener('change', () => {{ {RED_ON} }})",
    "observer": (
        "let first = true; new ResizeObserver(() => { if (!first) { " + RED_ON + " } first = false })"
        ".observe(document.querySelector('#w'))"
    ),
}


@pytest.mark.parametrize(
    "options", [FULL, {"selector": "#x"}, {"clip": {"x": 0, "y": 2000, "width": 90, "height": 90}}]
)
@pytest.mark.parametrize("script", NOTICING.values(), ids=list(NOTICING))
def test_a_page_does_not_notice_its_screenshot(studio: Studio, script: str, options: dict[str, object]) -> None:
    # Given a page that turns red when its window changes
    page = (
        "<div id=w style='position:absolute;height:100vh;width:1px'></div>"
        f"<div id=x style='height:3000px;background:#00aa00'></div><script>{script}</script>"
    )
    # When more than the window is captured, then it does not
    pixels = studio.pixels(page, **options)
    assert pixels.at(40, 40) == GREEN


@pytest.mark.parametrize("part", ["documentElement", "body"])
@pytest.mark.parametrize("doctype", ["<!doctype html>", ""], ids=["standards", "quirks"])
def test_a_page_that_removes_its_own_content_is_captured(studio: Studio, part: str, doctype: str) -> None:
    # Given a page that has neither a body nor anything that scrolls once it has loaded
    page = f"<h1>text</h1><script>onload = () => document.{part}.remove()</script>"
    # When the full page is captured, then the image is as large as the window
    assert Pixels(studio.document(doctype + page, **FULL).data).size == (1280, 800)


def test_very_many_blocks_that_are_not_rendered_out_of_view_hold_up_no_screenshot(studio: Studio) -> None:
    # Given a page of thousands of blocks with images, which are laid out only near the window
    page = (
        "<style>body{margin:0}article{content-visibility:auto;contain-intrinsic-size:auto 100px;height:100px;"
        "background:#00aa00}</style><body></body><script>document.body.innerHTML = "
        "'<article><p>text</p><img src=\"data:,\"></article>'.repeat(6000)</script>"
    )
    # When it is captured, then it is ready in the time that a capture has
    result = studio.render(page)
    assert result.facts.settled
    assert Pixels(result.data).at(640, 750) == GREEN
