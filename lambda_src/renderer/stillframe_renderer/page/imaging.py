"""What is made of a picture that the browser has encoded. Slow: not for the browser's own loop."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

# Pillow is imported late, here and in `difference`: few captures need it, and it takes 50 ms of a cold start.
from stillframe.image.extra import Extra
from stillframe.request.options import ImageFormat, RenderOptions, Thumbnail

if TYPE_CHECKING:
    from PIL import Image

AVIF_SPEED = 8
# Good enough for a small picture, at half the bytes of what a large one needs.
THUMBNAIL_QUALITY = 78


@dataclass(frozen=True, slots=True)
class Derived:
    """What was made of one picture, where it was asked for."""

    thumbnails: tuple[Extra, ...] = ()
    perceptual_hash: str | None = None


def is_one_colour(data: bytes) -> bool:
    """Whether all of an image is one colour."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(data)) as image:
        extrema = image.getextrema()
    bands = extrema if isinstance(extrema[0], tuple) else (extrema,)
    return all(low == high for low, high in bands)


def to_avif(data: bytes, quality: int) -> bytes:
    """A PNG as AVIF."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    encoded = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        image.save(encoded, "AVIF", quality=quality, speed=AVIF_SPEED)
    return encoded.getvalue()


def derive(data: bytes, options: RenderOptions) -> Derived:
    """The thumbnail and the perceptual hash of an image, which is decoded once."""
    from PIL import Image

    from stillframe.image.difference import perceptual_hash

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(data)) as image:
        hashed = perceptual_hash(image) if options.perceptual_hash else None
        thumbnails = (_thumbnail(image, options.thumbnail),) if options.thumbnail is not None else ()
    return Derived(thumbnails, hashed)


def _thumbnail(image: Image.Image, wanted: Thumbnail) -> Extra:
    from PIL import Image

    width = wanted.width
    # No encoding of a thumbnail holds more lines than WebP does.
    height = min(wanted.height or max(1, round(image.height * width / image.width)), ImageFormat.WEBP.max_side)
    shown = min(image.height, round(image.width * height / width))
    has_alpha = wanted.format is not ImageFormat.JPEG and "A" in image.getbands()
    small = image.convert("RGBA" if has_alpha else "RGB").resize(
        (width, height), Image.Resampling.LANCZOS, box=(0, 0, image.width, shown), reducing_gap=2.0
    )
    encoded = io.BytesIO()
    small.save(encoded, wanted.format.value.upper(), quality=THUMBNAIL_QUALITY)
    return Extra.thumbnail(encoded.getvalue(), wanted.format.extension)
