"""Pairs of images of the kinds that visual regression tools name in their tests and options, drawn anew.

The images of those tools' own tests are not among them, and the answer that is expected of each pair is this project's.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIZE = (320, 200)
TEXT = "Stillframe 19.90 EUR"
INK = (34, 51, 68)


@dataclass(frozen=True, slots=True)
class Case:
    """Two images, and whether the second one is expected to count as changed.

    `source` is the test or option of a tool that the case stands for, `own` if it stands for none; `ignore` is a box
    that all of them leave out; `rules` are those of Stillframe.
    """

    name: str
    source: str
    is_changed: bool
    draw: Callable[[], tuple[Image.Image, Image.Image]]
    ignore: tuple[int, int, int, int] | None = None
    rules: dict[str, object] = field(default_factory=dict)


def page(draw_on: Callable[[ImageDraw.ImageDraw], None] = lambda _: None, size: tuple[int, int] = SIZE) -> Image.Image:
    """A white page with a header, on which more is drawn."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, size[0], 30), fill="#e4ecf7")
    draw_on(draw)
    return image


def text(left: float, top: float, words: str = TEXT, scale: int = 8) -> Image.Image:
    """Text at a place between pixels, with the grey edges that a browser would give it there."""
    large = Image.new("L", (SIZE[0] * scale, SIZE[1] * scale), 255)
    font = ImageFont.load_default(20 * scale)
    ImageDraw.Draw(large).text((left * scale, top * scale), words, 0, font)
    ink = Image.new("RGB", SIZE, INK)
    ink.paste("white", (0, 0), large.resize(SIZE, Image.Resampling.BOX))
    return ink


def lines(count: int, width: int) -> Image.Image:
    """A page of text lines that are all different, 24 pixels each."""
    image = Image.new("RGB", (width, count * 24), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(15)
    for number in range(count):
        draw.text((8, number * 24 + 2), f"{number}. order {number * 37} of {number * 7 % 10} figures", INK, font)
    return image


def inserted(image: Image.Image, height: int) -> Image.Image:
    """The image below a banner, and as high as it was."""
    moved = Image.new("RGB", image.size, "#ffcc00")
    moved.paste(image, (0, height))
    return moved


def gradient(end: int) -> Image.Image:
    """From white to a grey at the right."""
    row = np.linspace(255, end, SIZE[0]).astype(np.uint8)
    return Image.fromarray(np.repeat(row[None, :], SIZE[1], axis=0)).convert("RGB")


def box(color: str, edges: tuple[int, int, int, int] = (100, 80, 180, 110)) -> Image.Image:
    """A page with a button."""
    return page(lambda draw: draw.rectangle(edges, fill=color))


def jpeg(image: Image.Image) -> Image.Image:
    """The image as it comes out of an encoder with losses."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=92)
    return Image.open(file).convert("RGB")


def _clear() -> Image.Image:
    return Image.new("RGBA", SIZE, (0, 0, 0, 0))


def _half() -> Image.Image:
    return Image.new("RGBA", SIZE, (0, 0, 0, 128))


def _pixel() -> Image.Image:
    image = box("#2266cc")
    image.putpixel((20, 150), (255, 0, 0))
    return image


def _taller() -> Image.Image:
    return page(lambda draw: draw.rectangle((0, 200, 320, 239), fill="#e4ecf7"), (320, 240))


def _circle(offset: float) -> Image.Image:
    large = Image.new("L", (SIZE[0] * 8, SIZE[1] * 8), 255)
    ImageDraw.Draw(large).ellipse((400 + offset * 8, 400, 1200 + offset * 8, 1200), fill=40)
    return large.resize(SIZE, Image.Resampling.BOX).convert("RGB")


CLOCK = (100, 80, 181, 111)
CASES = (
    Case("equal images", "own", False, lambda: (box("#2266cc"), box("#2266cc"))),
    Case("one pixel", "own", True, lambda: (box("#2266cc"), _pixel())),
    Case("text 0.3 px to the side: edges only", "odiff `aa/`", False, lambda: (text(20, 60), text(20.3, 60))),
    Case(
        "round shape 0.3 px to the side",
        "odiff `aa/`, pixelmatch `includeAA`",
        False,
        lambda: (_circle(0), _circle(0.3)),
    ),
    Case("text 1 px to the side", "own", True, lambda: (text(20, 60), text(21, 60))),
    Case("text 1 px down", "own", True, lambda: (text(20, 60), text(20, 61))),
    Case("one digit of a text", "own", True, lambda: (text(20, 60), text(20, 60, "Stillframe 19.80 EUR"))),
    Case("gradient, rounded in another way", "pixelmatch `threshold`", False, lambda: (gradient(120), gradient(121))),
    Case("gradient to another grey", "pixelmatch `threshold`", True, lambda: (gradient(120), gradient(60))),
    Case(
        "transparent, and white",
        "pixelmatch `checkerboard`",
        False,
        lambda: (_clear(), Image.new("RGBA", SIZE, "white")),
    ),
    Case(
        "half transparent black, and the grey it is on white",
        "pixelmatch `checkerboard`",
        False,
        lambda: (_half(), Image.new("RGBA", SIZE, (127, 127, 127, 255))),
    ),
    Case("transparent, and black", "odiff `extreme-alpha`", True, lambda: (_clear(), Image.new("RGBA", SIZE, "black"))),
    Case(
        "40 px taller",
        "odiff `--fail-on-layout`, BackstopJS `requireSameDimensions`",
        True,
        lambda: (page(), _taller()),
    ),
    Case("button in another colour", "own", True, lambda: (box("#2266cc"), box("#cc3322"))),
    Case(
        "button in a blue that is hard to tell",
        "pixelmatch `threshold`",
        False,
        lambda: (box("#2266cc"), box("#2268ce")),
    ),
    Case("button gone", "own", True, lambda: (box("#2266cc"), page())),
    Case("noise of an encoder", "odiff `jpg/`", False, lambda: (text(20, 60), jpeg(text(20, 60)))),
    Case(
        "change in an ignored box",
        "odiff `--ignore`, pixelmatch `ignoreMask`",
        False,
        lambda: (box("#fff"), box("#000")),
        CLOCK,
    ),
    Case(
        "change beside an ignored box",
        "odiff `--ignore`",
        True,
        lambda: (box("#fff"), box("#000", (100, 80, 190, 110))),
        CLOCK,
    ),
    Case(
        "a change under the tolerance of 0.1 %",
        "BackstopJS `misMatchThreshold`",
        False,
        lambda: (page(), box("#2266cc", (10, 100, 16, 107))),
        rules={"maxShare": 0.001},
    ),
    Case("block inserted on top", "own", True, lambda: (lines(30, 400), inserted(lines(30, 400), 50))),
)


def large_pairs() -> dict[str, tuple[Image.Image, Image.Image]]:
    """Pairs of about 6 million pixels for the speed: equal, one line changed, moved, and all of it changed."""
    image = lines(200, 1280)
    changed = image.copy()
    ImageDraw.Draw(changed).rectangle((8, 2400, 200, 2420), fill="#ffcc00")
    noise = np.random.default_rng(1).integers(0, 255, (image.height, image.width, 3), np.uint8)
    return {
        "equal": (image, image),
        "one line changed": (image, changed),
        "moved by 50 px": (image, inserted(image, 50)),
        "colours inverted": (image, Image.eval(image, lambda value: 255 - value)),
        "noise": (image, Image.fromarray(noise)),
    }
