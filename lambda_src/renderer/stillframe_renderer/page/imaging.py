"""Processing of an encoded screenshot. Slow, so not to be called on the browser's event loop."""

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
DEFAULT_AVIF_QUALITY = 60
# Good enough for a small image, at half the bytes of the quality that a large one needs.
THUMBNAIL_QUALITY = 78


@dataclass(frozen=True, slots=True)
class Derived:
    """The extras derived from one screenshot, as far as they were requested."""

    thumbnails: tuple[Extra, ...] = ()
    perceptual_hash: str | None = None


def is_one_colour(data: bytes) -> bool:
    """Whether the whole image is one colour."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(data)) as image:
        extrema = image.getextrema()
    bands = extrema if isinstance(extrema[0], tuple) else (extrema,)
    return all(low == high for low, high in bands)


def to_avif(data: bytes, quality: int) -> bytes:
    """Encode a PNG as AVIF."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    encoded = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        image.save(encoded, "AVIF", quality=quality, speed=AVIF_SPEED)
    return encoded.getvalue()


def derive(data: bytes, options: RenderOptions) -> Derived:
    """Make the thumbnail and the perceptual hash that the options request, decoding the image once."""
    from PIL import Image

    from stillframe.image.perceptual_hash import perceptual_hash

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(data)) as image:
        image_hash = perceptual_hash(image) if options.perceptual_hash else None
        thumbnails = (_thumbnail(image, options.thumbnail),) if options.thumbnail is not None else ()
    return Derived(thumbnails, image_hash)


def _thumbnail(image: Image.Image, options: Thumbnail) -> Extra:
    from PIL import Image

    width = options.width
    # The limit of WebP applies to all formats: it has the lowest of them.
    height = min(options.height or max(1, round(image.height * width / image.width)), ImageFormat.WEBP.max_side)
    source_height = min(image.height, round(image.width * height / width))
    has_alpha = options.format is not ImageFormat.JPEG and "A" in image.getbands()
    small = image.convert("RGBA" if has_alpha else "RGB").resize(
        (width, height), Image.Resampling.LANCZOS, box=(0, 0, image.width, source_height), reducing_gap=2.0
    )
    encoded = io.BytesIO()
    small.save(encoded, options.format.value.upper(), quality=THUMBNAIL_QUALITY)
    return Extra.thumbnail(encoded.getvalue(), options.format.extension)
