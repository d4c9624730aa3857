"""Load profiles: send at once, evenly, faster and faster, or mostly in the middle."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

# A spike sends this share of its messages within this share of the time, around the middle.
SPIKE_TIME = 0.1
SPIKE_MESSAGES = 0.8

# Maps a share of the messages (0 to 1) to the share of the time after which they are sent.
Curve = Callable[[float], float]


def _spike(sent: float) -> float:
    before = (1 - SPIKE_MESSAGES) / 2
    quiet = (1 - SPIKE_TIME) / 2
    if sent < before:
        return sent / before * quiet
    if sent > 1 - before:
        return 1 - (1 - sent) / before * quiet
    return quiet + (sent - before) / SPIKE_MESSAGES * SPIKE_TIME


CURVES: dict[str, Curve] = {
    "burst": lambda _: 0.0,
    "steady": lambda sent: sent,
    # The rate grows linearly from zero, so the number of messages grows with the square of the time.
    "ramp": math.sqrt,
    "spike": _spike,
}


def due_times(profile: str, count: int, seconds: float) -> Iterator[float]:
    """Return when each of `count` messages is due, in seconds since the start, in order."""
    curve = CURVES[profile]
    return (curve(number / count) * seconds for number in range(count))
