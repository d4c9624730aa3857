"""Decoded images as arrays: one 32-bit number for each pixel, so that equal pixels are found in one comparison."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

# Left, top, right, bottom in pixels.
Box = tuple[int, int, int, int]
Pixels = NDArray[np.uint32]
Mask = NDArray[np.bool_]
# What Pillow raises for damaged images: SyntaxError for a chunk of a PNG, RuntimeError and SyntaxError for an AVIF.
UNDECODABLE = (OSError, SyntaxError, RuntimeError)


def decoded(data: bytes, max_pixels: int | None = None) -> Image.Image:
    """An encoded image as opaque RGBA. Where it is transparent, it lies on white, as a page does.

    Raises ValueError if it cannot be decoded, such as a PDF, or has more than `max_pixels` pixels.
    """
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(io.BytesIO(data)) as image:
            if max_pixels is not None and image.width * image.height > max_pixels:
                raise ValueError(
                    f"{image.width} x {image.height} pixels are too many to compare, at most {max_pixels:,}"
                )
            colours = image.convert("RGBA")
    except UnidentifiedImageError as error:
        raise ValueError("not an image that can be decoded") from error
    except UNDECODABLE as error:
        raise ValueError(f"not an image that can be decoded: {error}") from error
    if colours.getchannel("A").getextrema() != (255, 255):
        colours = Image.alpha_composite(Image.new("RGBA", colours.size, "white"), colours)
    return colours


def to_pixels(image: Image.Image) -> Pixels:
    """An RGBA image as numbers, by line and column: red is the lowest byte."""
    values: Pixels = np.asarray(image).view("<u4")[:, :, 0]
    return values


def to_image(pixels: Pixels) -> Image.Image:
    """The image that `to_pixels` has made numbers of."""
    return Image.fromarray(np.ascontiguousarray(pixels).view(np.uint8).reshape(*pixels.shape, 4))


def channels(values: Pixels) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Red, green and blue, 0 to 255."""
    red, green, blue = ((values >> np.uint32(shift) & np.uint32(255)).astype(np.float32) for shift in (0, 8, 16))
    return red, green, blue


def cover(mask: Mask, boxes: list[Box]) -> None:
    """Set a mask where the boxes are, as far as they are within it."""
    for left, top, right, bottom in boxes:
        mask[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = True
