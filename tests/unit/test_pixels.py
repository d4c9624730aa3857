"""Decoding of images that somebody else has written, or that were damaged on the way."""

from __future__ import annotations

import io
import random

import pytest
from PIL import Image

from stillframe.comparison.pixels import decoded

SEED = 25
MAX_PIXELS = 1_000_000


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_a_damaged_image_fails_in_one_way(kind: str) -> None:
    # Given an image of which some bytes are others, when it is decoded, then it is an image or a ValueError
    whole, drawn, said = io.BytesIO(), random.Random(SEED), []
    Image.radial_gradient("L").convert("RGB").resize((60, 40)).save(whole, kind)
    for _ in range(600):
        damaged = bytearray(whole.getvalue())
        for _ in range(drawn.randint(1, 4)):
            damaged[drawn.randrange(min(len(damaged), 400))] = drawn.randrange(256)
        try:
            decoded(bytes(damaged), MAX_PIXELS)
        except ValueError as error:
            said.append(str(error))
    # And what is said has no address of memory, nor anything else that differs from run to run
    assert said
    assert not any("0x" in each for each in said)
