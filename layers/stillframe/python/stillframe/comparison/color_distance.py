"""How different two colours look, by their distance in YIQ.

Y. Kotsarenko, F. Ramos, "Measuring perceived color difference using YIQ NTSC transmission color space in mobile
applications", 2010: the weighted square of the distance in brightness (Y) and in the two axes of hue (I and Q). odiff
and pixelmatch up to version 7 use the same; it is cheaper than CIEDE2000 and free of its discontinuities.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .pixels import Mask, Pixels, channels

# The largest weighted square, that of black and white being 32,857.
MAX_SQUARE = 35_215


def exceeds(first: Pixels, second: Pixels, distance: float) -> Mask:
    """Whether two colours are farther apart than `distance`, 0 to 1."""
    red, green, blue = (one - other for one, other in zip(channels(first), channels(second), strict=True))
    y = luma(red, green, blue)
    i = red * 0.59597799 - green * 0.27417610 - blue * 0.32180189
    q = red * 0.21147017 - green * 0.52261711 + blue * 0.31114694
    exceeded: Mask = y * y * 0.5053 + i * i * 0.299 + q * q * 0.1957 > np.float32(MAX_SQUARE * distance * distance)
    return exceeded


def luma(red: NDArray[np.float32], green: NDArray[np.float32], blue: NDArray[np.float32]) -> NDArray[np.float32]:
    """The brightness (Y) of a colour, or of the difference of two."""
    brightness: NDArray[np.float32] = red * np.float32(0.29889531) + green * 0.58662247 + blue * 0.11448223
    return brightness
