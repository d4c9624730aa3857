"""What changed between two pictures: by pixels, by looks, and where."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image, ImageChops

# A channel that differs by no more is the noise of an encoder.
TOLERANCE = 16
HASH_SIDE = 8
HASH_BITS = HASH_SIDE * HASH_SIDE
MARK = (255, 0, 64)
# How much of the picture is left where nothing changed.
FADE = 0.25


@dataclass(frozen=True, slots=True)
class Difference:
    """`pixels` is the share of pixels that changed, `looks` that of the bits of a difference hash; both 0 to 1.

    `box` holds all that changed: left, top, right, bottom in pixels. `marked` is a PNG of the second picture,
    faded, with what changed in red.
    """

    pixels: float
    looks: float
    box: tuple[int, int, int, int] | None
    marked: bytes

    @property
    def is_none(self) -> bool:
        return self.box is None


def compare(before: bytes, after: bytes) -> Difference:
    """Compare two encoded images; what only one of them has counts as changed.

    Raises ValueError when one of them is no image that can be decoded, a PDF for example.
    """
    first, second = _decoded(before), _decoded(after)
    size = max(first.width, second.width), max(first.height, second.height)
    changed = _changed(first, second, size)
    count = changed.histogram()[255]
    return Difference(
        pixels=count / (size[0] * size[1]),
        looks=(_bits(first) ^ _bits(second)).bit_count() / HASH_BITS,
        box=changed.getbbox(),
        marked=_marked(second, changed, size),
    )


def _decoded(data: bytes) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.convert("RGB")
    except OSError as error:
        raise ValueError(f"not an image that can be compared: {error}") from error


def _changed(first: Image.Image, second: Image.Image, size: tuple[int, int]) -> Image.Image:
    """255 where a pixel changed."""
    shared = min(first.width, second.width), min(first.height, second.height)
    area = (0, 0, *shared)
    differences = ImageChops.difference(first.crop(area), second.crop(area)).split()
    largest = ImageChops.lighter(ImageChops.lighter(differences[0], differences[1]), differences[2])
    whole = Image.new("L", size, 255)
    whole.paste(largest.point([0] * (TOLERANCE + 1) + [255] * (255 - TOLERANCE)), (0, 0))
    return whole


def perceptual_hash(image: Image.Image) -> str:
    """64 bits in hex that differ in few places where two images look alike ("dHash")."""
    return f"{_bits(image):0{HASH_BITS // 4}x}"


def _bits(image: Image.Image) -> int:
    """Whether each part is darker than its neighbour to the right."""
    small = image.convert("L").resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.LANCZOS)
    values = small.tobytes()
    width = HASH_SIDE + 1
    bits = [values[y * width + x] < values[y * width + x + 1] for y in range(HASH_SIDE) for x in range(HASH_SIDE)]
    return sum(1 << number for number, bit in enumerate(bits) if bit)


def _marked(picture: Image.Image, changed: Image.Image, size: tuple[int, int]) -> bytes:
    canvas = Image.new("RGB", size, "white")
    canvas.paste(picture, (0, 0))
    faded = Image.blend(Image.new("RGB", size, "white"), canvas.convert("L").convert("RGB"), FADE)
    faded.paste(Image.new("RGB", size, MARK), (0, 0), changed)
    encoded = io.BytesIO()
    faded.save(encoded, "PNG")
    return encoded.getvalue()
