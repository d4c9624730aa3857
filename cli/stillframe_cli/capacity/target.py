"""The load to serve: how many captures, how uneven, and how soon."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .prices import HOURS_PER_MONTH

SECONDS_PER_HOUR = 3600
HOURS_PER_DAY = 24


@dataclass(frozen=True, slots=True)
class Target:
    """A load to serve.

    `per_hour` is the average number of captures per hour; the peak is `burst` times the average. At the peak, a capture
    should take at most `deadline_seconds` from sent to stored.
    """

    per_hour: float
    burst: float = 3.0
    deadline_seconds: float = 300.0

    @property
    def per_second(self) -> float:
        return self.per_hour / SECONDS_PER_HOUR

    @property
    def peak_per_second(self) -> float:
        return self.per_second * self.burst

    def with_peak(self, per_second: float) -> Target:
        """Return the same target with a peak of at least this many captures per second."""
        return replace(self, burst=max(self.burst, per_second / self.per_second))

    @property
    def per_month(self) -> float:
        return self.per_hour * HOURS_PER_MONTH

    def to_wire(self) -> dict[str, Any]:
        """Return the target under its wire names."""
        return {
            "perHour": self.per_hour,
            "burst": self.burst,
            "deadlineSeconds": self.deadline_seconds,
            "perSecond": round(self.per_second, 3),
            "peakPerSecond": round(self.peak_per_second, 3),
            "perMonth": round(self.per_month),
        }
