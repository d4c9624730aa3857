"""What a capture is like: measured by a load test, taken from records, or given."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from stillframe.table.record import Record, Status

MS = 1000
# Measured, `make bench`, the mean of its page classes at 300 ms a response; used where nothing better is known.
ASSUMED_CPU_MS = 190
ASSUMED_DURATION_MS = 1100
ASSUMED_P99_MS = 3300
ASSUMED_BYTES = 250_000
# Measured, `make bench`: 330 MB with 4 tabs, 625 MB with 12, which is 45 MB a tab on pages that are lighter than most.
BASE_MB = 220
MB_PER_TAB = 120
# And one of them may be far heavier than the others.
HEAVY_PAGE_MB = 300


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one capture: CPU time, time from claim to stored while the worker is not busy, its 99th percentile, bytes.

    Times in milliseconds. `source` says where they are from. `machine_cpu_ms` is what a whole machine took for each,
    services and all, where they were measured on one.
    """

    cpu_ms: float
    duration_ms: float
    p99_ms: float
    bytes: float
    source: str
    machine_cpu_ms: float | None = None

    @property
    def cpu_seconds(self) -> float:
        return self.cpu_ms / MS

    @property
    def waiting_seconds(self) -> float:
        """Of a capture, the time that no CPU is needed for."""
        return max(0.0, self.duration_ms - self.cpu_ms) / MS

    @property
    def waiting_share(self) -> float:
        """How much of a capture is waiting, 0 to 1."""
        return self.waiting_seconds / max(self.duration_ms / MS, 1e-9)

    def to_wire(self) -> dict[str, Any]:
        """Wire names."""
        return {
            "cpuMs": round(self.cpu_ms),
            "durationMs": round(self.duration_ms),
            "p99Ms": round(self.p99_ms),
            "bytes": round(self.bytes),
            "waitingShare": round(self.waiting_share, 3),
            "source": self.source,
        }


ASSUMED = Figures(
    ASSUMED_CPU_MS, ASSUMED_DURATION_MS, ASSUMED_P99_MS, ASSUMED_BYTES, "assumed: the benchmark's pages at 300 ms"
)


def from_load_test(path: Path) -> Figures:
    """Of the file that `load-test --out` wrote. Raises click.UsageError when it is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        durations = found["durationMs"]
        return Figures(
            cpu_ms=float(found["cpuMs"]),
            # Under load a capture waits for the CPU as well; the shortest of them hardly do.
            duration_ms=float(durations["p10"]),
            p99_ms=float(durations["p99"]),
            bytes=float(found["bytes"]),
            source=f"load test of {found['captured']} captures",
            machine_cpu_ms=found.get("machineCpuMs"),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.UsageError(
            f"{path}: not the output of `stillframe load-test --out` ({type(error).__name__}: {error})"
        ) from error


def from_records(records: Iterable[Record]) -> Figures:
    """Of the records of captures. Raises click.UsageError when there are none that tell."""
    told = [r for r in records if r.status is Status.SUCCESS and r.cpu_ms is not None and r.duration_ms is not None]
    if not told:
        raise click.UsageError("no record tells of CPU time: capture something first, or use --from or --cpu-ms")
    durations = sorted(r.duration_ms or 0 for r in told)
    return Figures(
        cpu_ms=statistics.fmean(r.cpu_ms or 0 for r in told),
        duration_ms=statistics.median(durations),
        p99_ms=durations[min(len(durations) - 1, int(len(durations) * 0.99))],
        bytes=statistics.fmean(r.bytes or 0 for r in told),
        source=f"{len(told)} records",
    )
