"""What is pictured, and how it is encoded."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from stillframe.request.options import ImageFormat
from tests.support.pixels import BLUE, GREEN, RED, WHITE, Pixels

from .conftest import Studio

# A red square at 200, 1500 on blue.
SQUARE = (
    "<body style='background:#0000ff;height:3000px'><div id=square style='position:absolute;left:200px;top:1500px;"
    "width:120px;height:80px;background:#ff0000'></div>"
)


def test_an_element_is_pictured_wherever_it_is(studio: Studio) -> None:
    picture = studio.picture(SQUARE, selector="#square")
    assert picture.size == (120, 80)
    assert picture.is_all(RED)


def test_padding_is_around_the_element(studio: Studio) -> None:
    picture = studio.picture(SQUARE, selector="#square", padding=10)
    assert picture.size == (140, 100)
    assert [picture.at(*point) for point in ((9, 9), (10, 10), (129, 89), (130, 90))] == [BLUE, RED, RED, BLUE]


def test_an_element_is_pictured_in_device_pixels(studio: Studio) -> None:
    assert studio.picture(SQUARE, selector="#square", deviceScaleFactor=2).size == (240, 160)


def test_a_part_of_the_document_is_pictured(studio: Studio) -> None:
    picture = studio.picture(SQUARE, clip={"x": 190, "y": 1490, "width": 20, "height": 20})
    assert picture.size == (20, 20)
    assert [picture.at(*point) for point in ((0, 0), (9, 9), (10, 10), (19, 19))] == [BLUE, BLUE, RED, RED]


@pytest.mark.parametrize("image_format", ["png", "webp", "avif"])
def test_the_background_can_be_left_out(studio: Studio, image_format: str) -> None:
    page = (
        "<style>html,body{background:transparent}</style><div style='width:50px;height:50px;background:#ff0000'></div>"
    )
    shot = studio.shot(page, omitBackground=True, format=image_format)
    with Image.open(io.BytesIO(shot.data)) as image:
        alpha = image.convert("RGBA").getchannel("A")
        assert (alpha.getpixel((25, 25)), alpha.getpixel((100, 100))) == (255, 0)


def test_avif_is_avif_and_smaller_with_less_quality(studio: Studio) -> None:
    page = "".join(f"<p style='color:#{n:02x}8040'>Some text of number {n}</p>" for n in range(30))
    shots = [studio.shot(page, format="avif", quality=quality) for quality in (90, 20)]
    for shot in shots:
        assert (Pixels(shot.data).encoding, Pixels(shot.data).size) == ("AVIF", (shot.width, shot.height))
    assert len(shots[1].data) < len(shots[0].data)


@pytest.mark.parametrize(
    ("pdf", "size"),
    [
        ({}, (794, 1122)),
        ({"paper": "Letter"}, (816, 1056)),
        ({"landscape": True}, (1122, 794)),
        ({"paper": "A5"}, (560, 794)),
    ],
)
def test_a_page_is_printed(studio: Studio, pdf: dict[str, Any], size: tuple[int, int]) -> None:
    shot = studio.shot("<h1>Printed</h1>", format="pdf", pdf=pdf)
    assert shot.data.startswith(b"%PDF-")
    assert (shot.width, shot.height, shot.format) == (*size, ImageFormat.PDF)


@pytest.mark.parametrize(
    ("preset", "wanted"),
    [("link-preview", "JPEG"), ("archive", "WEBP"), ("mobile", "PNG"), ("print", None)],
)
def test_a_preset_is_one_word(studio: Studio, preset: str, wanted: str | None) -> None:
    shot = studio.shot("<h1>Text</h1><div style='height:1500px'></div>", preset=preset)
    if wanted is None:
        assert shot.data.startswith(b"%PDF-")
    else:
        assert Pixels(shot.data).encoding == wanted


def test_a_page_that_is_wider_than_a_phone_is_shown_whole_as_a_phone_shows_it(studio: Studio) -> None:
    # Given a page that knows nothing of phones, and is laid out 980 pixels wide on one
    page = (
        "<div style='height:980px;background:linear-gradient(90deg,#ff0000 50%,#00aa00 50%)'></div>"
        "<div style='height:2940px;background:#0000ff'></div>"
    )
    # When all of it is pictured on a phone
    picture = studio.picture(page, device="iphone-15", deviceScaleFactor=1, fullPage=True)
    # Then it is made smaller, and not cut
    assert picture.size == (393, 1572)
    assert [picture.at(*point) for point in ((10, 100), (380, 100), (200, 1500))] == [RED, GREEN, BLUE]


def test_so_many_pixels_and_no_more(studio: Studio) -> None:
    picture = studio.picture("<div style='height:9000px;background:#00aa00'></div>", fullPage=True, maxPixels=1_280_000)
    assert picture.size == (1280, 1000)
    assert picture.is_all(GREEN)


def test_a_blank_picture_of_a_page_with_content_is_taken_again(studio: Studio) -> None:
    # Given a page that shows its text only some time after everything is there, by no clock of its own
    page = (
        "<body><p id=p style='opacity:0;font-size:90px'>text</p><script>"
        "const worker = new Worker(URL.createObjectURL(new Blob(['setTimeout(() => postMessage(1), 400)'])));"
        "worker.onmessage = () => { p.style.opacity = 1 }</script>"
    )
    shot = studio.shot(page, waitUntil="load")
    assert not Pixels(shot.data).is_all(WHITE)
    assert shot.facts.blank is None


@pytest.mark.parametrize("page", ["", "<p style='color:#ffffff'>text</p>"])
def test_a_page_that_is_blank_says_so(studio: Studio, page: str) -> None:
    shot = studio.shot(page)
    assert Pixels(shot.data).is_all(WHITE)
    assert shot.facts.blank is True
