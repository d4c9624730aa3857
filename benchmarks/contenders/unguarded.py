"""Stillframe's renderer without its guard: what that costs."""

from __future__ import annotations

from benchmarks.contenders.renderer import take
from benchmarks.unguarded import NoGuard

if __name__ == "__main__":
    take(NoGuard)
