"""The image that shows what changed: the newer screenshot faded, with a red tint over the changes."""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image

from .pixels import Mask

MARK_COLOUR = (255, 0, 64)
# Of the colour over what changed, which stays legible below it.
MARK_OPACITY = 0.5
# The opacity of the image where nothing changed.
FADED_OPACITY = 0.25
# An image may be very tall, so it is marked in strips of this many lines, which bounds the extra memory.
STRIP_LINES = 512


def mark(image: Image.Image, changed: Mask) -> bytes:
    """A PNG as large as the mask: the image, faded, with what changed below a red tint."""
    height, width = changed.shape
    marked = Image.new("RGB", (width, height))
    for top, bottom in _strips(height):
        marked.paste(_marked(image, changed[top:bottom], top), (0, top))
    encoded = io.BytesIO()
    marked.save(encoded, "PNG", compress_level=1)
    return encoded.getvalue()


def _strips(height: int) -> Iterator[tuple[int, int]]:
    for top in range(0, height, STRIP_LINES):
        yield top, min(top + STRIP_LINES, height)


def _marked(image: Image.Image, changed: Mask, top: int) -> Image.Image:
    lines, width = changed.shape
    white = Image.new("RGB", (width, lines), "white")
    strip = white.copy()
    if image.height > top:
        strip.paste(image.crop((0, top, image.width, min(image.height, top + lines))).convert("RGB"), (0, 0))
    faded = Image.blend(white, strip.convert("L").convert("RGB"), FADED_OPACITY)
    tinted = Image.blend(strip, Image.new("RGB", strip.size, MARK_COLOUR), MARK_OPACITY)
    faded.paste(tinted, (0, 0), Image.fromarray(changed))
    return faded
