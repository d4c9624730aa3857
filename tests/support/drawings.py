"""Images that tests of comparisons are made of: text lines as in a page, and shapes."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

LINE_HEIGHT = 24
WORDS = ("Invoice", "Total", "Orders", "today", "Berlin", "price", "screenshot", "figures", "north", "window")


def encoded(image: Image.Image, encoding: str = "PNG") -> bytes:
    """An image as a file."""
    out = io.BytesIO()
    image.save(out, encoding)
    return out.getvalue()


def paragraphs(lines: Sequence[str], width: int = 400) -> Image.Image:
    """A white page with a line of text each 24 pixels."""
    page = Image.new("RGB", (width, LINE_HEIGHT * len(lines)), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(15)
    for number, line in enumerate(lines):
        draw.text((8, number * LINE_HEIGHT + 2), line, "#223344", font)
    return page


def text_lines(count: int) -> list[str]:
    """Lines that are all different."""
    return [f"{number}. {WORDS[number % 10]} {WORDS[number * 7 % 10]} {number * 37}" for number in range(count)]


def with_insertion(image: Image.Image, at: int, block: Image.Image) -> Image.Image:
    """The image with a block inserted above line `at`."""
    grown = Image.new("RGB", (image.width, image.height + block.height), "white")
    grown.paste(image.crop((0, 0, image.width, at)), (0, 0))
    grown.paste(block, (0, at))
    grown.paste(image.crop((0, at, image.width, image.height)), (0, at + block.height))
    return grown
