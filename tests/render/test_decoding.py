"""Images that the browser decodes beside the page: a screenshot has them whenever it is taken."""

from __future__ import annotations

from tests.support.pixels import GREEN

from .conftest import Studio


def test_images_that_are_decoded_beside_the_page_are_in_a_full_page(studio: Studio) -> None:
    # Given large images far below the window, which the page lets the browser decode in its own time
    page = (
        "<style>body{margin:0}article{content-visibility:auto;contain-intrinsic-size:auto 300px;height:300px}"
        "img{display:block;width:1280px;height:300px}</style>"
        + "".join(
            f"<article><img loading=lazy decoding=async src='/large-image?{number}'></article>" for number in range(14)
        )
    )
    # When the full page is captured several times, then none of them is ever missing
    for _ in range(3):
        pixels = studio.pixels(page, fullPage=True)
        assert pixels.size == (1280, 4200)
        assert [y for y in range(150, 4200, 300) if pixels.at(640, y) != GREEN] == []
