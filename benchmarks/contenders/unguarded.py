"""Stillframe's renderer without its guard, which shows what the guard costs."""

from __future__ import annotations

from benchmarks.contenders.renderer import run_job
from benchmarks.unguarded import NoGuard

if __name__ == "__main__":
    run_job(NoGuard)
