"""What changed between two images: the share of pixels, the perceived difference, and the area."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageChops

# A channel that differs by this much or less is encoder noise.
TOLERANCE = 16
# Lookup table: maps the difference of a channel to 0 (unchanged) or 255 (changed).
CHANGED_LEVELS = [0] * (TOLERANCE + 1) + [255] * (255 - TOLERANCE)
HASH_SIDE = 8
HASH_BITS = HASH_SIDE * HASH_SIDE
MARK_COLOUR = (255, 0, 64)
# Of the colour over what changed, which stays legible below it.
MARK_OPACITY = 0.5
# The opacity of the image where nothing changed.
FADED_OPACITY = 0.25
# An image may be very tall, so it is compared in strips of this many lines, which bounds the extra memory.
STRIP_LINES = 512

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """`pixels` is the share of pixels that changed, `perceived` the share of perceptual-hash bits; both 0 to 1.

    `box` encloses every change: left, top, right, bottom in pixels. `marked` is a PNG of the second image, faded, with
    what changed below a red tint.
    """

    pixels: float
    perceived: float
    box: Box | None
    marked: bytes

    @property
    def is_empty(self) -> bool:
        return self.box is None


def compare(before: bytes, after: bytes, max_pixels: int | None = None) -> Difference:
    """Compare two encoded images. An area that only one of them has counts as changed.

    Takes ten bytes of memory per pixel. Raises ValueError if one of them cannot be decoded, such as a PDF, or has more
    than `max_pixels` pixels.
    """
    first, second = _decoded(before, max_pixels), _decoded(after, max_pixels)
    size = max(first.width, second.width), max(first.height, second.height)
    marked = Image.new("RGB", size)
    count, box = 0, None
    for top, bottom in _strips(size[1]):
        area = (0, top, size[0], bottom)
        changed = _changed(first, second, area)
        count += changed.histogram()[255]
        box = _union(box, changed.getbbox(), top)
        marked.paste(_marked(second, changed, area), (0, top))
    encoded = io.BytesIO()
    marked.save(encoded, "PNG", compress_level=1)
    return Difference(
        pixels=count / (size[0] * size[1]),
        perceived=(_hash_bits(first) ^ _hash_bits(second)).bit_count() / HASH_BITS,
        box=box,
        marked=encoded.getvalue(),
    )


def perceptual_hash(image: Image.Image) -> str:
    """A difference hash ("dHash"): 64 bits in hex, which differ in few places if two images look alike."""
    return f"{_hash_bits(image):0{HASH_BITS // 4}x}"


def _strips(height: int) -> Iterator[tuple[int, int]]:
    for top in range(0, height, STRIP_LINES):
        yield top, min(top + STRIP_LINES, height)


def _decoded(data: bytes, max_pixels: int | None) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(io.BytesIO(data)) as image:
            if max_pixels is not None and image.width * image.height > max_pixels:
                raise ValueError(
                    f"{image.width} x {image.height} pixels are too many to compare, at most {max_pixels:,}"
                )
            return image.convert("RGB")
    except OSError as error:
        raise ValueError(f"not an image that can be decoded: {error}") from error


def _changed(first: Image.Image, second: Image.Image, area: Box) -> Image.Image:
    """A mask of the area: 255 where a pixel changed, or where only one of the images has a pixel."""
    left, top, right, bottom = area
    shared = left, top, min(first.width, second.width), min(first.height, second.height, bottom)
    whole = Image.new("L", (right - left, bottom - top), 255)
    if shared[3] > top:
        differences = ImageChops.difference(first.crop(shared), second.crop(shared)).split()
        largest = ImageChops.lighter(ImageChops.lighter(differences[0], differences[1]), differences[2])
        whole.paste(largest.point(CHANGED_LEVELS), (0, 0))
    return whole


def _union(box: Box | None, part: Box | None, top: int) -> Box | None:
    """The smallest box around both, where `part` is relative to a strip that begins at line `top`."""
    if part is None:
        return box
    left, upper, right, lower = part[0], part[1] + top, part[2], part[3] + top
    if box is None:
        return left, upper, right, lower
    return min(box[0], left), min(box[1], upper), max(box[2], right), max(box[3], lower)


def _hash_bits(image: Image.Image) -> int:
    """One bit per cell of a coarse grid: whether the cell is darker than its neighbour to the right."""
    small = image.convert("L").resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.LANCZOS)
    values = small.tobytes()
    width = HASH_SIDE + 1
    bits = [values[y * width + x] < values[y * width + x + 1] for y in range(HASH_SIDE) for x in range(HASH_SIDE)]
    return sum(1 << number for number, bit in enumerate(bits) if bit)


def _marked(image: Image.Image, changed: Image.Image, area: Box) -> Image.Image:
    white = Image.new("RGB", changed.size, "white")
    strip = white.copy()
    if image.height > area[1]:
        strip.paste(image.crop((0, area[1], image.width, min(image.height, area[3]))), (0, 0))
    faded = Image.blend(white, strip.convert("L").convert("RGB"), FADED_OPACITY)
    faded.paste(Image.blend(strip, Image.new("RGB", changed.size, MARK_COLOUR), MARK_OPACITY), (0, 0), changed)
    return faded
