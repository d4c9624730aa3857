"""Which part of a page is captured, and how it is encoded."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from stillframe.request.options import ImageFormat
from tests.support.pixels import BLUE, GREEN, RED, WHITE, Pixels

from .conftest import Studio

# A red rectangle at 200, 1500 on blue.
SQUARE = (
    "<body style='background:#0000ff;height:3000px'><div id=square style='position:absolute;left:200px;top:1500px;"
    "width:120px;height:80px;background:#ff0000'></div>"
)


def test_an_element_is_captured_wherever_it_is(studio: Studio) -> None:
    pixels = studio.pixels(SQUARE, selector="#square")
    assert pixels.size == (120, 80)
    assert pixels.is_all(RED)


def test_padding_is_added_around_the_element(studio: Studio) -> None:
    pixels = studio.pixels(SQUARE, selector="#square", padding=10)
    assert pixels.size == (140, 100)
    assert [pixels.at(*point) for point in ((9, 9), (10, 10), (129, 89), (130, 90))] == [BLUE, RED, RED, BLUE]


def test_an_element_is_captured_in_device_pixels(studio: Studio) -> None:
    assert studio.pixels(SQUARE, selector="#square", deviceScaleFactor=2).size == (240, 160)


def test_a_part_of_the_document_is_captured(studio: Studio) -> None:
    pixels = studio.pixels(SQUARE, clip={"x": 190, "y": 1490, "width": 20, "height": 20})
    assert pixels.size == (20, 20)
    assert [pixels.at(*point) for point in ((0, 0), (9, 9), (10, 10), (19, 19))] == [BLUE, BLUE, RED, RED]


@pytest.mark.parametrize("image_format", ["png", "webp", "avif"])
def test_the_background_can_be_omitted(studio: Studio, image_format: str) -> None:
    page = (
        "<style>html,body{background:transparent}</style><div style='width:50px;height:50px;background:#ff0000'></div>"
    )
    result = studio.render(page, omitBackground=True, format=image_format)
    with Image.open(io.BytesIO(result.data)) as image:
        alpha = image.convert("RGBA").getchannel("A")
        assert (alpha.getpixel((25, 25)), alpha.getpixel((100, 100))) == (255, 0)


def test_avif_has_its_encoding_and_is_smaller_at_a_lower_quality(studio: Studio) -> None:
    page = "".join(f"<p style='color:#{n:02x}8040'>Some text of number {n}</p>" for n in range(30))
    results = [studio.render(page, format="avif", quality=quality) for quality in (90, 20)]
    for result in results:
        assert (Pixels(result.data).encoding, Pixels(result.data).size) == ("AVIF", (result.width, result.height))
    assert len(results[1].data) < len(results[0].data)


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
    result = studio.render("<h1>Printed</h1>", format="pdf", pdf=pdf)
    assert result.data.startswith(b"%PDF-")
    assert (result.width, result.height, result.format) == (*size, ImageFormat.PDF)


@pytest.mark.parametrize(
    ("preset", "wanted"),
    [("link-preview", "JPEG"), ("archive", "WEBP"), ("mobile", "PNG"), ("print", None)],
)
def test_a_preset_sets_several_options(studio: Studio, preset: str, wanted: str | None) -> None:
    result = studio.render("<h1>Text</h1><div style='height:1500px'></div>", preset=preset)
    if wanted is None:
        assert result.data.startswith(b"%PDF-")
    else:
        assert Pixels(result.data).encoding == wanted


def test_a_page_wider_than_a_phone_is_scaled_as_on_a_phone(studio: Studio) -> None:
    # Given a page that is not made for phones, and is laid out 980 px wide on one
    page = (
        "<div style='height:980px;background:linear-gradient(90deg,#ff0000 50%,#00aa00 50%)'></div>"
        "<div style='height:2940px;background:#0000ff'></div>"
    )
    # When the full page is captured on a phone
    pixels = studio.pixels(page, device="iphone-15", deviceScaleFactor=1, fullPage=True)
    # Then it is scaled down and not cut
    assert pixels.size == (393, 1572)
    assert [pixels.at(*point) for point in ((10, 100), (380, 100), (200, 1500))] == [RED, GREEN, BLUE]


def test_the_number_of_pixels_can_be_limited(studio: Studio) -> None:
    pixels = studio.pixels("<div style='height:9000px;background:#00aa00'></div>", fullPage=True, maxPixels=1_280_000)
    assert pixels.size == (1280, 1000)
    assert pixels.is_all(GREEN)


def test_a_blank_screenshot_of_a_page_with_content_is_taken_again(studio: Studio) -> None:
    # Given a page whose worker shows its text some time after everything has loaded
    page = (
        "<body><p id=p style='opacity:0;font-size:90px'>text</p><script>"
        "const worker = new Worker(URL.createObjectURL(new Blob(['setTimeout(() => postMessage(1), 400)'])));"
        "worker.onmessage = () => { p.style.opacity = 1 }</script>"
    )
    result = studio.render(page, waitUntil="load")
    assert not Pixels(result.data).is_all(WHITE)
    assert result.facts.blank is None


@pytest.mark.parametrize("page", ["", "<p style='color:#ffffff'>text</p>"])
def test_a_blank_page_is_recorded_as_blank(studio: Studio, page: str) -> None:
    result = studio.render(page)
    assert Pixels(result.data).is_all(WHITE)
    assert result.facts.blank is True
