"""Shots: further images of one load, each in its own window, of its own part and with its own encoding."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from stillframe.errors import InvalidRequest, PageTooLarge, ReadyTimeout, SelectorNotFound
from stillframe.image.render_result import RenderResult
from stillframe.image.shot import Shot
from stillframe.request.capture_request import CaptureRequest
from tests.support.pixels import BLUE, GREEN, RED, WHITE, Pixels, near

from .conftest import Studio

# Green on a wide window and blue on a narrow one, 3000 px high, with an image at the end that loads late.
PAGE = (
    "<style>main{height:3000px;background:#00aa00;position:relative}@media(max-width:600px){main{background:#0000ff}}"
    "img{position:absolute;top:2800px;left:0}</style><main><img loading=lazy src='/image?colour=ff0000' alt=''></main>"
)
PHONE = {"name": "phone", "viewport": {"width": 400, "height": 600}}


def shots_of(result: RenderResult) -> dict[str, Shot]:
    return {shot.facts.name: shot for shot in result.shots}


def pixels_of(result: RenderResult) -> dict[str, Pixels]:
    return {name: Pixels(shot.data) for name, shot in shots_of(result).items()}


def test_each_shot_has_its_own_window_part_and_encoding(studio: Studio) -> None:
    # Given / When one load with an image and four shots
    clip = {"x": 10, "y": 20, "width": 30, "height": 40}
    shots = [
        PHONE,
        {"name": "whole", "fullPage": True, "format": "webp"},
        {"name": "picture", "selector": "img", "padding": 5, "deviceScaleFactor": 2},
        {"name": "corner", "clip": clip, "format": "jpeg", "quality": 90},
    ]
    result = studio.render(PAGE, shots=shots)
    # Then the page was requested once, and so was what it needs
    assert studio.requested.count("/page") <= 1
    assert studio.requested.count("/image") == 1
    # And the image is what it is without shots, and the shots come in the order of the request
    assert (result.width, result.height) == (1280, 800)
    assert Pixels(result.data).is_all(GREEN)
    assert [shot.file for shot in result.shots] == [
        *("shot-phone.png", "shot-whole.webp", "shot-picture.png", "shot-corner.jpg")
    ]
    found = pixels_of(result)
    assert {name: each.size for name, each in found.items()} == {
        "phone": (400, 600),
        "whole": (1280, 3000),
        "picture": (210, 220),
        "corner": (30, 40),
    }
    # And each shows what a visitor with its window sees
    assert found["phone"].is_all(BLUE)
    assert near(found["whole"].at(50, 2850), RED)
    assert near(found["whole"].at(640, 100), GREEN)
    assert found["picture"].at(100, 110) == RED
    assert near(found["corner"].at(5, 5), GREEN)


def test_a_full_page_leaves_nothing_behind_for_the_shots_after_it(studio: Studio) -> None:
    # Given a page with bars that stick to the top and to the bottom, and a background that is fixed
    page = (
        "<style>body{background:linear-gradient(#ff0000 50%, #00aa00 50%) fixed}</style>"
        "<header style='position:sticky;top:0;height:50px;background:#0000ff'></header>"
        "<div style='height:3000px'></div>"
        "<footer style='position:fixed;bottom:0;left:0;right:0;height:50px;background:#0000ff'></footer>"
    )
    # When a full page is captured before its window, and the window alone
    shots = [{"name": "window", "fullPage": False}]
    after = pixels_of(studio.render(page, fullPage=True, shots=shots))["window"]
    alone = studio.pixels(page)
    # Then both are the same
    assert after.size == alone.size == (1280, 800)
    places = (25, 200, 600, 775)
    assert [after.at(640, y) for y in places] == [alone.at(640, y) for y in places] == [BLUE, RED, GREEN, BLUE]


def test_a_shot_with_a_narrow_full_page_has_its_own_bars_at_its_own_end(studio: Studio) -> None:
    page = (
        "<div style='height:2000px'></div>"
        "<footer style='position:fixed;bottom:0;left:0;right:0;height:50px;background:#0000ff'></footer>"
        "<style>@media(max-width:600px){div{height:3000px !important}}</style>"
    )
    result = studio.render(page, fullPage=True, shots=[PHONE])
    phone = pixels_of(result)["phone"]
    assert phone.size == (400, 3000)
    assert [phone.at(200, y) for y in (575, 1975, 2975)] == [WHITE, WHITE, BLUE]
    assert Pixels(result.data).at(200, 1975) == BLUE


def test_masks_and_hidden_elements_are_those_of_every_shot(studio: Studio) -> None:
    page = PAGE + "<p id=secret style='position:absolute;top:0;left:0;width:200px;height:200px;margin:0'>1234</p>"
    options: dict[str, Any] = {"mask": ["#secret"], "maskColor": "#ff0000", "hide": ["img"]}
    shots = [PHONE, {"name": "whole", "fullPage": True}]
    result = studio.render(page, shots=shots, **options)
    found = pixels_of(result)
    assert [each.at(100, 100) for each in (Pixels(result.data), *found.values())] == [RED] * 3
    assert found["whole"].at(50, 2850) == GREEN
    # The masks of one image add nothing to the height of the next.
    assert found["whole"].size == (1280, 3000)


def test_a_script_that_reacts_to_the_window_has_done_so(studio: Studio) -> None:
    # Given a page whose script changes it a while after the window was resized
    page = (
        "<body><script>document.body.style.background = '#00aa00'; let timer;"
        "addEventListener('resize', () => { clearTimeout(timer); timer = setTimeout(() => {"
        "document.body.style.background = innerWidth < 600 && outerWidth < 600 ? '#0000ff' : '#ff0000' }, 200) })"
        "</script>"
    )
    assert pixels_of(studio.render(page, shots=[PHONE]))["phone"].is_all(BLUE)


def test_an_image_that_only_a_wider_window_needs_is_loaded(studio: Studio) -> None:
    page = (
        "<picture><source media='(min-width:1500px)' srcset='/image?colour=ff0000&ms=300'>"
        "<img style='display:block;width:100px;height:100px' src='/image?colour=0000ff' alt=''></picture>"
    )
    result = studio.render(page, shots=[{"name": "wide", "viewport": {"width": 1600, "height": 900}}])
    assert Pixels(result.data).at(50, 50) == BLUE
    assert pixels_of(result)["wide"].at(50, 50) == RED


def test_a_list_that_shows_its_rows_in_view_only_is_whole_in_a_shot(studio: Studio) -> None:
    # Given a page whose blocks are removed once they are out of view
    page = (
        "<body><script>for (let n = 0; n < 8; n++) { const block = document.createElement('div');"
        "block.style.height = '500px'; document.body.append(block) }"
        "const seen = new IntersectionObserver(found => { for (const each of found)"
        "each.target.style.background = each.isIntersecting ? '#00aa00' : '' });"
        "document.querySelectorAll('div').forEach(each => seen.observe(each))</script>"
    )
    shot = {"name": "whole", "fullPage": True, "viewport": {"width": 400, "height": 600}}
    whole = pixels_of(studio.render(page, shots=[shot]))["whole"]
    assert whole.size == (400, 4000)
    assert [whole.at(200, y) for y in range(250, 4000, 500)] == [GREEN] * 8


def test_shots_begin_where_the_page_has_been_scrolled_to(studio: Studio) -> None:
    page = PAGE.replace("<img", "<b id=b style='position:absolute;top:1000px;width:50px;height:50px'></b><img")
    page = page.replace("<b ", "<b class=x ").replace("<style>", "<style>#b{background:#ff0000}")
    result = studio.render(page, scrollTo="#b", shots=[{"name": "whole", "fullPage": True}, PHONE])
    assert [Pixels(result.data).at(25, 25), pixels_of(result)["phone"].at(25, 25)] == [RED, RED]
    assert pixels_of(result)["whole"].at(25, 1025) == RED


def test_a_background_is_omitted_in_one_shot_only(studio: Studio) -> None:
    page = "<div style='width:100px;height:100px;background:#00aa00'></div>"
    clear = {"name": "clear", "omitBackground": True}
    result = studio.render(page, shots=[clear, {"name": "again", "format": "webp"}])
    modes = {name: Image.open(io.BytesIO(shot.data)) for name, shot in shots_of(result).items()}
    assert modes["clear"].convert("RGBA").getpixel((500, 500)) == (0, 0, 0, 0)
    assert modes["again"].convert("RGBA").getpixel((500, 500)) == (255, 255, 255, 255)


def test_a_device_of_a_shot_is_its_window_and_says_what_it_is_not(studio: Studio) -> None:
    # Given / When a page that was loaded on a desktop is shown in the windows of two devices
    script = "<script>document.title = navigator.userAgent</script>"
    shots = [{"name": "phone", "device": "iphone-15"}, {"name": "laptop", "device": "laptop-hidpi"}]
    found = shots_of(studio.render(PAGE + script, shots=shots))
    # Then each has its size and its scale
    assert (found["phone"].width, found["phone"].height) == (393 * 3, 852 * 3)
    assert (found["laptop"].width, found["laptop"].height) == (1440 * 2, 900 * 2)
    # And says which of its device's options the page was loaded without
    assert found["phone"].facts.not_emulated == ["mobile", "touch", "userAgent"]
    assert found["laptop"].facts.not_emulated is None


def test_a_shot_says_that_it_is_blank_or_capped(studio: Studio) -> None:
    page = "<style>@media(max-width:600px){main{display:none}}</style><main style='height:3000px'>text</main>"
    shots = [{**PHONE, "fullPage": False}, {"name": "cut", "fullPage": True, "maxHeight": 1000}]
    found = shots_of(studio.render(page, shots=shots))
    assert (found["phone"].facts.blank, found["cut"].facts.blank) == (True, None)
    assert (found["cut"].height, found["cut"].facts.page_height, found["cut"].facts.height_capped) == (1000, 3000, True)


def test_the_saved_page_is_that_of_the_image(studio: Studio) -> None:
    page = (
        "<p></p><script>addEventListener('resize', () => document.querySelector('p').textContent = 'resized')</script>"
    )
    (text,) = studio.render(page, save=["text"], shots=[PHONE]).extras
    assert text.data.strip() == b""


def test_one_shot_that_fails_fails_the_capture_and_is_named(studio: Studio) -> None:
    shots = [PHONE, {"name": "whole", "fullPage": True}, {"name": "price", "selector": "#nobody"}]
    error = studio.render_error(PAGE, shots=shots)
    assert isinstance(error, SelectorNotFound)
    assert error.message == "shot price: selector: no visible element of the page matches #nobody"


def test_a_clip_beyond_the_page_is_named_with_its_shot(studio: Studio) -> None:
    error = studio.render_error("<p>a", shots=[{"name": "far", "clip": {"y": 9000, "width": 10, "height": 10}}])
    assert isinstance(error, InvalidRequest)
    assert "shot far: options: clip: begins outside the page" in str(error)


def test_a_page_that_never_settles_in_another_window_is_captured_as_it_is(studio: Studio) -> None:
    # Given a page that keeps loading once it is narrow
    page = (
        "<body><p>text<script>addEventListener('resize', () => {"
        "const image = new Image(); image.src = '/hang'; document.body.append(image) })</script>"
    )
    options = {"timeoutMs": 3000, "shots": [PHONE]}
    assert shots_of(studio.render(page, **options))["phone"].facts.unsettled is not None
    # And refused if the request is strict
    error = studio.render_error(page, strict=True, **options)
    assert isinstance(error, ReadyTimeout)
    assert error.message.startswith("shot phone: the page did not get past ")


def test_shots_that_are_too_large_together_are_refused(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stillframe_renderer.page.shots.MAX_BYTES", 100)
    error = studio.render_error(PAGE, shots=[PHONE])
    assert isinstance(error, PageTooLarge)
    assert error.message.startswith("shot phone: ")


def test_a_resource_that_only_a_shot_needs_counts_as_well(studio: Studio) -> None:
    page = "<style>@media(max-width:600px){body{background:url(/missing?status=404)}}</style>"
    assert "resource" in str(studio.render_error(page, failOnResourceError=True, shots=[PHONE]))


def test_a_recorded_request_with_shots_is_read_back() -> None:
    request = CaptureRequest(url="https://example.com/", options={"shots": [PHONE]})
    assert CaptureRequest(url=request.url, options=request.recorded_options).payload_hash == request.payload_hash
