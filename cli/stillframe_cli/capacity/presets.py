"""The three sizes, as targets: what the deployment's presets are worked out from."""

from __future__ import annotations

from .figures import ASSUMED
from .plan import Plan
from .target import Target

# The most that each size is for: of small and medium an hour's captures may come within a minute.
TARGETS = {
    "small": Target(per_hour=100, burst=60),
    "medium": Target(per_hour=1000, burst=60),
    "large": Target(per_hour=100_000, burst=10),
}


def preset(size: str) -> Plan:
    """The plan of a size, with what is assumed of a capture."""
    return Plan(TARGETS[size], ASSUMED)
