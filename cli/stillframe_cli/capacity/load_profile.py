"""A load over time: messages per second, interpolated linearly between points."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import click

# A week is simulated in ten seconds.
MAX_SECONDS = 7 * 86_400
MAX_RATE = 1e12
FORMAT = "SECONDS:RATE,SECONDS:RATE,..., for example 0:0,600:3500,1200:3500,1800:0"


@dataclass(frozen=True, slots=True)
class LoadProfile:
    """A load given by points of (seconds, messages per second), in order of time."""

    points: Sequence[tuple[float, float]]

    @property
    def seconds(self) -> float:
        """The time of the last point."""
        return self.points[-1][0]

    @property
    def peak(self) -> float:
        """The highest number of messages per second."""
        return max(rate for _, rate in self.points)

    def rate(self, at: float) -> float:
        """Return the messages per second at a time; 0 after the last point."""
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
        """Parse `SECONDS:RATE,SECONDS:RATE,...`. Raises click.UsageError that shows this format and its limits."""
        try:
            points = [tuple(float(part) for part in point.split(":")) for point in text.split(",")]
            pairs = [(second, rate) for second, rate in points]
        except ValueError as error:
            raise click.UsageError(f"--profile {text!r} does not have the form {FORMAT}") from error
        if len(pairs) < 2 or pairs != sorted(pairs, key=lambda pair: pair[0]) or min(min(pair) for pair in pairs) < 0:
            raise click.UsageError(
                f"--profile {text!r} must have at least two points, in order of time and not negative: {FORMAT}"
            )
        # What is not a number is not below a limit either.
        if not all(second <= MAX_SECONDS and rate <= MAX_RATE for second, rate in pairs):
            raise click.UsageError(
                f"--profile {text!r} must last {MAX_SECONDS:,} s at most, with at most {MAX_RATE:.0e} messages "
                f"per second: {FORMAT}"
            )
        return cls(pairs)

    @classmethod
    def with_peak(cls, average: float, peak: float) -> LoadProfile:
        """Return 30 minutes at the average, 10 rising, 20 at the peak, 10 falling, and 30 at the average."""
        return cls([(0, average), (1800, average), (2400, peak), (3600, peak), (4200, average), (6000, average)])
