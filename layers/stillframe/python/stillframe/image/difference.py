"""What changed between two pictures: by pixels, by looks, and where."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageChops

# A channel that differs by no more is the noise of an encoder.
TOLERANCE = 16
IS_CHANGED = [0] * (TOLERANCE + 1) + [255] * (255 - TOLERANCE)
HASH_SIDE = 8
HASH_BITS = HASH_SIDE * HASH_SIDE
MARK = (255, 0, 64)
# How much of the picture is left where nothing changed.
FADE = 0.25
# Pictures may be as tall as they like; so many lines are worked on at once, besides the two pictures themselves.
STRIP = 512

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """`pixels` is the share of pixels that changed, `looks` that of the bits of a difference hash; both 0 to 1.

    `box` holds all that changed: left, top, right, bottom in pixels. `marked` is a PNG of the second picture,
    faded, with what changed in red.
    """

    pixels: float
    looks: float
    box: Box | None
    marked: bytes

    @property
    def is_none(self) -> bool:
        return self.box is None


def compare(before: bytes, after: bytes, max_pixels: int | None = None) -> Difference:
    """Compare two encoded images; what only one of them has counts as changed.

    Takes ten bytes of memory for a pixel. Raises ValueError when one of them is no image that can be decoded, a PDF
    for example, or has more pixels than that.
    """
    first, second = _decoded(before, max_pixels), _decoded(after, max_pixels)
    size = max(first.width, second.width), max(first.height, second.height)
    marked = Image.new("RGB", size)
    count, box = 0, None
    for top, bottom in _strips(size[1]):
        area = (0, top, size[0], bottom)
        changed = _changed(first, second, area)
        count += changed.histogram()[255]
        box = _united(box, changed.getbbox(), top)
        marked.paste(_marked(second, changed, area), (0, top))
    encoded = io.BytesIO()
    marked.save(encoded, "PNG", compress_level=1)
    return Difference(
        pixels=count / (size[0] * size[1]),
        looks=(_bits(first) ^ _bits(second)).bit_count() / HASH_BITS,
        box=box,
        marked=encoded.getvalue(),
    )


def perceptual_hash(image: Image.Image) -> str:
    """64 bits in hex that differ in few places where two images look alike ("dHash")."""
    return f"{_bits(image):0{HASH_BITS // 4}x}"


def _strips(height: int) -> Iterator[tuple[int, int]]:
    for top in range(0, height, STRIP):
        yield top, min(top + STRIP, height)


def _decoded(data: bytes, max_pixels: int | None) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(io.BytesIO(data)) as image:
            if max_pixels is not None and image.width * image.height > max_pixels:
                raise ValueError(f"{image.width} x {image.height} pixels are too many to be compared")
            return image.convert("RGB")
    except OSError as error:
        raise ValueError(f"not an image that can be compared: {error}") from error


def _changed(first: Image.Image, second: Image.Image, area: Box) -> Image.Image:
    """255 where a pixel of the area changed, and where only one of them has one."""
    left, top, right, bottom = area
    shared = left, top, min(first.width, second.width), min(first.height, second.height, bottom)
    whole = Image.new("L", (right - left, bottom - top), 255)
    if shared[3] > top:
        differences = ImageChops.difference(first.crop(shared), second.crop(shared)).split()
        largest = ImageChops.lighter(ImageChops.lighter(differences[0], differences[1]), differences[2])
        whole.paste(largest.point(IS_CHANGED), (0, 0))
    return whole


def _united(box: Box | None, part: Box | None, top: int) -> Box | None:
    if part is None:
        return box
    left, upper, right, lower = part[0], part[1] + top, part[2], part[3] + top
    if box is None:
        return left, upper, right, lower
    return min(box[0], left), min(box[1], upper), max(box[2], right), max(box[3], lower)


def _bits(image: Image.Image) -> int:
    """Whether each part is darker than its neighbour to the right."""
    small = image.convert("L").resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.LANCZOS)
    values = small.tobytes()
    width = HASH_SIDE + 1
    bits = [values[y * width + x] < values[y * width + x + 1] for y in range(HASH_SIDE) for x in range(HASH_SIDE)]
    return sum(1 << number for number, bit in enumerate(bits) if bit)


def _marked(picture: Image.Image, changed: Image.Image, area: Box) -> Image.Image:
    white = Image.new("RGB", changed.size, "white")
    shown = white.copy()
    if picture.height > area[1]:
        shown.paste(picture.crop((0, area[1], picture.width, min(picture.height, area[3]))), (0, 0))
    faded = Image.blend(white, shown.convert("L").convert("RGB"), FADE)
    faded.paste(Image.new("RGB", changed.size, MARK), (0, 0), changed)
    return faded
