"""A load over time: messages a second at each moment, straight between named points."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import click

SHAPE = "SECONDS:RATE,SECONDS:RATE,..., for example 0:0,600:3500,1200:3500,1800:0"


@dataclass(frozen=True, slots=True)
class LoadProfile:
    """Points of seconds and messages a second, in order."""

    points: Sequence[tuple[float, float]]

    @property
    def seconds(self) -> float:
        """When the last point is."""
        return self.points[-1][0]

    @property
    def peak(self) -> float:
        """The most messages a second."""
        return max(rate for _, rate in self.points)

    def rate(self, at: float) -> float:
        """Messages a second at a moment; after the last point none come."""
        if at > self.seconds:
            return 0.0
        index = bisect_right([second for second, _ in self.points], at)
        if index >= len(self.points):
            return self.points[-1][1]
        if index == 0:
            return 0.0
        (start, low), (end, high) = self.points[index - 1], self.points[index]
        return low + (high - low) * (at - start) / (end - start) if end > start else high

    @classmethod
    def parse(cls, text: str) -> LoadProfile:
        """Raises click.UsageError that shows the form."""
        try:
            points = [tuple(float(part) for part in point.split(":")) for point in text.split(",")]
            pairs = [(second, rate) for second, rate in points]
        except ValueError as error:
            raise click.UsageError(f"--profile {text!r} is not of the form {SHAPE}") from error
        if len(pairs) < 2 or pairs != sorted(pairs, key=lambda pair: pair[0]) or min(min(pair) for pair in pairs) < 0:
            raise click.UsageError(f"--profile {text!r}: two points or more, in order, none negative: {SHAPE}")
        return cls(pairs)

    @classmethod
    def day_peak(cls, average: float, peak: float) -> LoadProfile:
        """Half an hour of average load, ten minutes up, twenty of peak, ten down, half an hour."""
        return cls([(0, average), (1800, average), (2400, peak), (3600, peak), (4200, average), (6000, average)])
