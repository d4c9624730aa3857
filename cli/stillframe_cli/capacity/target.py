"""What is wanted: how many, how unevenly, how soon."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .prices import HOURS_A_MONTH

SECONDS_AN_HOUR = 3600
HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True)
class Target:
    """Captures an hour on average; `burst` times as many at the peak; `deadline_seconds` from send to stored there."""

    per_hour: float
    burst: float = 3.0
    deadline_seconds: float = 300.0

    @property
    def per_second(self) -> float:
        return self.per_hour / SECONDS_AN_HOUR

    @property
    def peak_per_second(self) -> float:
        return self.per_second * self.burst

    def with_peak(self, per_second: float) -> Target:
        """The same, for a peak that is at least so high."""
        return replace(self, burst=max(self.burst, per_second / self.per_second))

    @property
    def per_month(self) -> float:
        return self.per_hour * HOURS_A_MONTH

    def to_wire(self) -> dict[str, Any]:
        """Wire names."""
        return {
            "perHour": self.per_hour,
            "burst": self.burst,
            "deadlineSeconds": self.deadline_seconds,
            "perSecond": round(self.per_second, 3),
            "peakPerSecond": round(self.peak_per_second, 3),
            "perMonth": round(self.per_month),
        }
