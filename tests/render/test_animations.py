"""Animations: what comes in has come in, what a visitor would still see is still there, and stillness is repeatable."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.support.pixels import BLUE, GREEN

from .conftest import Studio

FADE = (
    "<style>@keyframes in{from{opacity:0}}p{margin:0;height:300px;background:#00aa00;animation:in 1.2s .2s both}"
    "</style><p></p>"
)
GROWING_CANVAS = (
    "<canvas id=c width=1280 height=300 style='display:block'></canvas><script>"
    "const pen = c.getContext('2d'); let start;"
    "pen.fillStyle = '#00aa00'; const draw = now => { start ??= now; const part = Math.min(1, (now - start) / 1300);"
    "pen.fillRect(0, 0, 1280 * part, 300); if (part < 1) requestAnimationFrame(draw) };"
    "onload = () => requestAnimationFrame(draw)</script>"
)
COMING = {
    "canvas": GROWING_CANVAS,
    "svg": (
        "<svg width=1280 height=300><rect width=1280 height=300 fill=#00aa00 opacity=0>"
        "<animate attributeName=opacity from=0 to=1 begin=.4s dur=.9s fill=freeze /></rect></svg>"
    ),
    "shadow-root": f"<div id=host></div><script>host.attachShadow({{mode: 'open'}}).innerHTML = `{FADE}`</script>",
    "frame": f'<iframe srcdoc="<body style=margin:0>{FADE}" style="width:100%;height:300px;border:0"></iframe>',
    "script": (
        "<div id=d style='height:300px;background:#00aa00;width:0'></div><script>let start;"
        "const f = now => { start ??= now;"
        "const part = Math.min(1, (now - start) / 1400); d.style.width = 1280 * part + 'px';"
        "if (part < 1) requestAnimationFrame(f) }; requestAnimationFrame(f)</script>"
    ),
}


@pytest.mark.parametrize("page", COMING.values(), ids=list(COMING))
def test_what_comes_in_within_two_seconds_is_there(studio: Studio, page: str) -> None:
    assert studio.pixels(f"<body style='background:#ff0000'>{page}").at(1260, 150) == GREEN


# The browser hands the image over as bytes or as text, depending on how it is declared.
@pytest.mark.parametrize("charset", ["", "; charset=utf-8"])
def test_an_image_that_comes_in_by_itself_is_there(studio: Studio, charset: str) -> None:
    page = f"<body style='background:#ff0000'><img src='/fading-image?charset={quote(charset)}' style='display:block'>"
    assert studio.pixels(page).at(640, 150) == GREEN


def test_a_number_that_counts_up_has_its_last_value(studio: Studio) -> None:
    page = (
        "<h1 id=n>0</h1><script>let start; const f = now => { start ??= now;"
        "const part = Math.min(1, (now - start) / 1500);"
        "n.textContent = document.title = Math.round(part * 2500); if (part < 1) requestAnimationFrame(f) };"
        "onload = () => requestAnimationFrame(f)</script>"
    )
    assert studio.render(page).facts.title == "2500"


STAYING = {
    "paused": (
        "<style>@keyframes g{to{width:1280px}}div{height:300px;width:0;background:#00aa00;"
        "animation:g 10s linear -4s paused both}</style><div></div>"
    ),
    "first-of-several": (
        "<style>@keyframes s{0%,30%{background:#00aa00}40%,100%{background:#ff0000}}"
        "div{width:600px;height:300px;animation:s 30s both}</style><div></div>"
    ),
    "leaving": (
        "<style>@keyframes out{0%,80%{opacity:1}100%{opacity:0}}"
        "div{width:600px;height:300px;background:#00aa00;animation:out 4s both}</style><div></div>"
    ),
}


@pytest.mark.parametrize("page", STAYING.values(), ids=list(STAYING))
def test_what_a_visitor_would_still_see_is_there(studio: Studio, page: str) -> None:
    pixels = studio.pixels(f"<body style='background:#0000ff'>{page}")
    assert pixels.at(300, 150) == GREEN
    assert pixels.at(900, 150) == BLUE


ENDLESS = {
    "style": "<style>@keyframes t{to{transform:rotate(1turn)}}i{animation:t 1s linear infinite}</style><i></i>",
    "pseudo-element": (
        "<style>@keyframes t{to{left:300px}}p::before{content:'';position:absolute;width:40px;height:40px;left:0;"
        "background:#00aa00;animation:t .7s linear infinite}</style><p></p>"
    ),
    "script": "<i id=i></i><script>i.animate({left: ['0', '300px']}, {duration: 900, iterations: Infinity})</script>",
    "svg": (
        "<svg width=400 height=60><rect width=40 height=40 fill=#00aa00>"
        "<animate attributeName=x from=0 to=300 dur=.8s repeatCount=indefinite /></rect></svg>"
    ),
    "frame": (
        '<iframe srcdoc="<style>@keyframes t{to{margin-left:90px}}b{display:block;width:40px;height:40px;'
        'background:#0a0;animation:t .6s linear infinite}</style><b></b>"></iframe>'
    ),
    "caret": "<input autofocus value=text><script>document.querySelector('input').focus()</script>",
}


@pytest.mark.parametrize("page", ENDLESS.values(), ids=list(ENDLESS))
def test_with_reduced_motion_a_page_is_the_same_each_time(studio: Studio, page: str) -> None:
    # Given a page with something that moves forever
    style = "<style>i{position:absolute;display:block;width:40px;height:70px;background:#00aa00}</style>"
    # When it is captured several times with reduced motion, each a little later
    images = {studio.render(style + page, reducedMotion=True, delayMs=130 * number).data for number in range(4)}
    # Then every screenshot is the same
    assert len(images) == 1


@pytest.mark.parametrize("kind", [kind for kind in ENDLESS if kind != "caret"])
def test_an_endless_animation_moves_without_the_preference(studio: Studio, kind: str) -> None:
    # Given / When a page is captured until two screenshots differ: some of them may meet the same frame by chance
    style = "<style>i{position:absolute;display:block;width:40px;height:70px;background:#00aa00}</style>"
    images: set[bytes] = set()
    for number in range(12):
        images.add(studio.render(style + ENDLESS[kind], delayMs=190 * (number % 4)).data)
        if len(images) > 1:
            break
    # Then it has moved
    assert len(images) > 1
