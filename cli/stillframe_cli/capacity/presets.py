"""The loads that the deployment's presets are sized for."""

from __future__ import annotations

from .figures import ASSUMED
from .plan import Plan
from .target import Target

# The highest load of each size. With small and medium, the captures of an hour may all arrive within a minute.
TARGETS = {
    "small": Target(per_hour=100, burst=60),
    "medium": Target(per_hour=1000, burst=60),
    "large": Target(per_hour=100_000, burst=10),
}


def preset(size: str) -> Plan:
    """Return the plan of a size, with the assumed figures of a capture."""
    return Plan(TARGETS[size], ASSUMED)
