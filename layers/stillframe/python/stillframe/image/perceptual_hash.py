"""A hash of what an image looks like, which differs in few places if two images look alike."""

from __future__ import annotations

from PIL import Image

HASH_SIDE = 8
HASH_BITS = HASH_SIDE * HASH_SIDE


def perceptual_hash(image: Image.Image) -> str:
    """A difference hash ("dHash"): 64 bits in hex, which differ in few places if two images look alike."""
    return f"{hash_bits(image):0{HASH_BITS // 4}x}"


def hash_bits(image: Image.Image) -> int:
    """One bit per cell of a coarse grid: whether the cell is darker than its neighbour to the right."""
    small = image.convert("L").resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.LANCZOS)
    values = small.tobytes()
    width = HASH_SIDE + 1
    bits = [values[y * width + x] < values[y * width + x + 1] for y in range(HASH_SIDE) for x in range(HASH_SIDE)]
    return sum(1 << number for number, bit in enumerate(bits) if bit)
