"""Putting screenshots of parts of a page together into one image. Slow, so not to be called on the event loop."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillframe.request.options import ImageFormat, RenderOptions

from .elements import Box
from .imaging import DEFAULT_AVIF_QUALITY, to_avif

if TYPE_CHECKING:
    from PIL import Image

DEFAULT_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Tile:
    """A screenshot of the window (PNG), in which `part` is what scrolls. Lengths are in CSS pixels.

    `scrolled` is how far that was. Of what scrolls, the tile is used from `top` to `bottom`.
    """

    data: bytes
    part: Box
    scrolled: float
    top: float
    bottom: float


def stitch(tiles: list[Tile], height: float, options: RenderOptions, base: bytes | None = None) -> bytes:
    """Paste tiles into one image, as wide as the window and of this height, or into `base`, a PNG of the whole page."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    scale = options.device_scale_factor
    if base is None:
        # A page may be less tall at one stop than at another; what no tile has is as blank as the rest.
        size = (round(options.viewport.width * scale), round(height * scale))
        whole = Image.new("RGBA", size, (255, 255, 255, 0 if options.omit_background else 255))
    else:
        with Image.open(io.BytesIO(base)) as image:
            whole = image.convert("RGBA")
    for tile in tiles:
        with Image.open(io.BytesIO(tile.data)) as image:
            part, top = tile.part, max(tile.top, tile.scrolled)
            begin, end = (round((part.top + each - tile.scrolled) * scale) for each in (top, tile.bottom))
            left, right = round(part.left * scale), round(part.right * scale)
            cut = image.crop((left, begin, right, min(end, round(part.bottom * scale))))
            whole.paste(cut, (left, round((part.top + top) * scale)))
    return _encode(whole, options)


def _encode(image: Image.Image, options: RenderOptions) -> bytes:
    out = io.BytesIO()
    if options.format is ImageFormat.JPEG:
        image.convert("RGB").save(out, "jpeg", quality=options.quality or DEFAULT_QUALITY)
    elif options.format is ImageFormat.WEBP:
        image.save(out, "webp", quality=options.quality or DEFAULT_QUALITY)
    else:
        image.save(out, "png", compress_level=1)
    if options.format is ImageFormat.AVIF:
        return to_avif(out.getvalue(), options.quality or DEFAULT_AVIF_QUALITY)
    return out.getvalue()
