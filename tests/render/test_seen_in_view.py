"""Pages that show something only while it is in view: a full page shows each part as it is in view."""

from __future__ import annotations

import pytest

from tests.support.pixels import GREEN

from .conftest import Studio

FULL = {"fullPage": True}


def test_blocks_that_are_taller_than_the_window_and_hide_again_are_there(studio: Studio) -> None:
    # Given blocks of 900 pixels that are shown only while a part of them is in view
    page = (
        "<body style='margin:0'>"
        + "<section style='height:900px;background:#00aa00;opacity:0'></section>" * 4
        + "<script>"
        "const seen = new IntersectionObserver(all => all.forEach(each => {"
        "each.target.style.opacity = each.isIntersecting ? 1 : 0 }));"
        "document.querySelectorAll('section').forEach(each => seen.observe(each))</script>"
    )
    # When the full page is captured, then all of it is there
    pixels = studio.pixels(page, **FULL)
    assert pixels.size == (1280, 3600)
    assert [y for y in range(50, 3600, 100) if pixels.at(640, y) != GREEN] == []


HIDING = {
    "colour": ("background: #ff0000", "background: #00aa00"),
    "background-image": ("background: none", "background-image: linear-gradient(#00aa00, #00aa00)"),
    "transform": ("background: #00aa00; transform: translateX(-100vw)", "transform: none"),
    "scale": ("background: #00aa00; transform: scale(0)", "transform: none"),
    "filter": ("background: #00aa00; filter: brightness(0)", "filter: none"),
    "clip-path": ("background: #00aa00; clip-path: inset(50%)", "clip-path: none"),
}


@pytest.mark.parametrize(("hidden", "shown"), HIDING.values(), ids=list(HIDING))
def test_blocks_that_look_different_out_of_view_are_shown_as_in_view(studio: Studio, hidden: str, shown: str) -> None:
    # Given blocks that are shown only while most of them is in view, by whatever property
    page = (
        "<style>body{margin:0;overflow-x:hidden}section{height:400px}"
        f"section i{{display:block;height:100%;{hidden}}}"
        f"section.in i{{{shown}}}</style>"
        + "<section><i></i></section>"
        * 8
        + "<script>const seen = new IntersectionObserver(all => all.forEach(each => "
        "each.target.classList.toggle('in', each.intersectionRatio > .5)), {threshold: [0, .6]});"
        "document.querySelectorAll('section').forEach(each => seen.observe(each))</script>"
    )
    # When the full page is captured, then each is as it is in view
    pixels = studio.pixels(page, **FULL)
    assert [y for y in range(50, 3200, 100) if pixels.at(640, y) != GREEN] == []


def test_slides_that_snap_have_no_gaps(studio: Studio) -> None:
    # Given slides that snap to the window, with a heading that is shown only in view
    page = (
        "<style>body{margin:0}html{scroll-snap-type:y mandatory}section{height:100vh;scroll-snap-align:start;"
        "background:#00aa00}h1{margin:0;height:300px;background:#00aa00;opacity:0}.in h1{opacity:1}</style>"
        + "<section><h1>slide</h1></section>"
        * 5
        + "<script>const seen = new IntersectionObserver(all => all.forEach(each => "
        "each.target.classList.toggle('in', each.isIntersecting)), {threshold: .6});"
        "document.querySelectorAll('section').forEach(each => seen.observe(each))</script>"
    )
    # When the full page is captured, then no strip of a slide is missing
    pixels = studio.pixels(page, **FULL)
    assert pixels.size == (1280, 4000)
    assert [y for y in range(50, 4000, 100) if pixels.at(1000, y) != GREEN] == []


def test_animations_that_follow_the_scrolling_need_no_script(studio: Studio) -> None:
    # Given blocks that appear by a view timeline, in a page without a script
    page = (
        "<style>@keyframes k{0%{opacity:0}30%,70%{opacity:1}100%{opacity:0}}body{margin:0}"
        "section{height:300px;background:#00aa00;animation:k linear both;animation-timeline:view()}</style>"
        + "<section></section>"
        * 10
    )
    # When the full page is captured, then the blocks beyond the first window are there, too
    pixels = studio.pixels(page, **FULL)
    greens = [y for y in range(150, 3000, 300) if pixels.at(640, y) == GREEN]
    assert len(greens) >= 8


def test_a_background_that_is_fixed_to_the_window_is_behind_every_part(studio: Studio) -> None:
    # Given a background that fills the window, behind blocks that are coloured only in view
    page = (
        "<style>body{margin:0}section{height:400px}i{display:block;height:200px;background:#ff0000}"
        ".in i{background:#fff}</style><div style='position:fixed;inset:0;z-index:-1;background:#00aa00'></div>"
        + "<section><i></i></section>"
        * 8
        + "<script>const seen = new IntersectionObserver(all => all.forEach(each => "
        "each.target.classList.toggle('in', each.intersectionRatio > .5)), {threshold: [0, .6]});"
        "document.querySelectorAll('section').forEach(each => seen.observe(each))</script>"
    )
    pixels = studio.pixels(page, **FULL)
    assert [y for y in range(300, 3200, 400) if pixels.at(640, y) != GREEN] == []
    assert [y for y in range(100, 3200, 400) if pixels.at(640, y) != (255, 255, 255)] == []


FICKLE = {
    "tint": (
        "const r = s.getBoundingClientRect();s.style.background = r.top < 200 && r.bottom > 200 ? '#ffffdd' : '#00aa00'"
    ),
    "parallax": "s.firstChild.style.transform = `translateY(${s.getBoundingClientRect().top * -.2}px)`",
}


@pytest.mark.parametrize("script", FICKLE.values(), ids=list(FICKLE))
def test_what_changes_with_every_position_is_as_it_is_at_the_top(studio: Studio, script: str) -> None:
    # Given sections that look different at every position of the window
    page = (
        "<style>body{margin:0}section{height:500px;overflow:hidden;background:#00aa00}</style>"
        + "<section><b style='display:block;width:300px;height:200px;background:#00f'></b></section>" * 6
        + "<script>const all = document.querySelectorAll('section');"
        f"const look = () => all.forEach(s => {{ {script} }}); addEventListener('scroll', look); look()</script>"
    )
    # When the full page is captured, then no section has an edge within: each has one colour at its right
    pixels = studio.pixels(page, **FULL)
    for top in range(0, 3000, 500):
        assert len({pixels.at(1000, y) for y in range(top + 20, top + 500, 40)}) == 1, top


def test_images_that_are_unloaded_out_of_view_are_there(studio: Studio) -> None:
    # Given a list that takes the source of each image away once it is out of view
    page = (
        "<style>body{margin:0}img{display:block;width:100%;height:400px;background:#ff0000}</style>"
        + "<img>" * 8
        + "<script>const seen = new IntersectionObserver(all => all.forEach(({target, isIntersecting}) => "
        "isIntersecting ? target.src = '/image?colour=00aa00' : target.removeAttribute('src')));"
        "document.querySelectorAll('img').forEach(each => seen.observe(each))</script>"
    )
    # When the full page is captured, then each has its picture
    pixels = studio.pixels(page, **FULL)
    assert [y for y in range(50, 3200, 100) if pixels.at(640, y) != GREEN] == []


SLIDE = (
    "<style>body{margin:0}section{height:100vh;background:#ff0000}section.in{background:#00aa00}"
    "header{height:60px;background:#00aa00}</style>"
)
WATCH_SLIDES = (
    "<script>const seen = new IntersectionObserver(all => all.forEach(each => "
    "each.target.classList.toggle('in', each.intersectionRatio > .6)), {threshold: [0, .2, .4, .61, .8, 1]});"
    "document.querySelectorAll('section').forEach(each => seen.observe(each))</script>"
)


@pytest.mark.parametrize(
    ("page", "height"),
    [
        pytest.param(SLIDE + "<section></section>" * 6 + WATCH_SLIDES, 4800, id="window"),
        pytest.param(SLIDE + "<header></header>" + "<section></section>" * 5 + WATCH_SLIDES, 4060, id="header"),
        pytest.param(
            SLIDE
            + "<style>main{height:100vh;overflow:auto;scroll-snap-type:y mandatory}"
            + "section{scroll-snap-align:start}</style>"
            + f"<main>{'<section></section>' * 5}</main>"
            + WATCH_SLIDES,
            4000,
            id="inner",
        ),
    ],
)
def test_a_block_that_is_shown_only_while_most_of_it_is_in_view_is_not_cut(
    studio: Studio, page: str, height: int
) -> None:
    # Given slides as tall as the window, each of which is shown while most of it is in view
    # When the full page is captured, then all of each is there
    pixels = studio.pixels(page, **FULL)
    assert pixels.size == (1280, height)
    assert [y for y in range(20, height, 40) if pixels.at(640, y) != GREEN] == []


def test_blocks_in_a_shadow_root_that_hide_again_are_there(studio: Studio) -> None:
    # Given a component whose blocks are shown only while they are in view
    page = (
        "<body style='margin:0'><my-list></my-list><script>customElements.define('my-list', class extends HTMLElement {"
        "connectedCallback() { const root = this.attachShadow({mode: 'open'});"
        "root.innerHTML = '<section style=\"height:400px;background:#00aa00;opacity:0\"></section>'.repeat(8);"
        "const seen = new IntersectionObserver(all => all.forEach(each => {"
        "each.target.style.opacity = each.isIntersecting ? 1 : 0 }));"
        "root.querySelectorAll('section').forEach(each => seen.observe(each)) } })</script>"
    )
    # When the full page is captured, then all of it is there
    pixels = studio.pixels(page, **FULL)
    assert [y for y in range(50, 3200, 100) if pixels.at(640, y) != GREEN] == []


def test_a_script_that_has_removed_itself_sees_the_scrolling(studio: Studio) -> None:
    # Given a page whose only script leaves no trace in the document but shows blocks as they come into view
    page = (
        "<body style='margin:0'>"
        + "<section style='height:700px;background:#ff0000'></section>" * 4
        + "<script>document.currentScript.remove(); const seen = new IntersectionObserver(all => all.forEach(each => {"
        "if (each.isIntersecting) each.target.style.background = '#00aa00' }));"
        "document.querySelectorAll('section').forEach(each => seen.observe(each))</script>"
    )
    # When the full page is captured, then it was scrolled through
    pixels = studio.pixels(page, **FULL)
    assert [y for y in range(50, 2800, 100) if pixels.at(640, y) != GREEN] == []


def test_what_is_beyond_the_window_in_tiles_is_recorded(studio: Studio) -> None:
    # Given a page wider than the window whose blocks are shown only in view
    page = (
        "<body style='margin:0'>"
        + "<section style='height:600px;width:2000px;background:#00aa00;opacity:0'></section>" * 4
        + "<script>const seen = new IntersectionObserver(all => all.forEach(each => {"
        "each.target.style.opacity = each.isIntersecting ? 1 : 0 }));"
        "document.querySelectorAll('section').forEach(each => seen.observe(each))</script>"
    )
    # When the full page is captured, then its image is as wide as the window, and the record tells the page's width
    result = studio.render(page, **FULL)
    assert (result.width, result.facts.page_width) == (1280, 2000)
