"""When the messages of a load test are sent: at once, evenly, faster and faster, or all in the middle."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

# The share of the time in which a spike has its messages, around the middle, and the share of the messages in it.
SPIKE_TIME = 0.1
SPIKE_MESSAGES = 0.8

# Share of the messages that were sent, 0 to 1, to the share of the time that has passed then.
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
    # A rate that grows evenly from nothing: the number that was sent grows with the square of the time.
    "ramp": math.sqrt,
    "spike": _spike,
}


def moments(profile: str, count: int, seconds: float) -> Iterator[float]:
    """When each message is due, in seconds since the start, in order."""
    curve = CURVES[profile]
    return (curve(number / count) * seconds for number in range(count))
