"""What a capture takes: CPU time, duration and bytes, from a load test, from records, or given."""

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
# Measured by `make bench-lambda`: the mean of its page classes at 300 ms per response, and the longest of them under
# load. Used when nothing better is known.
ASSUMED_CPU_MS = 205
ASSUMED_DURATION_MS = 675
ASSUMED_P99_MS = 1500
ASSUMED_BYTES = 250_000
# `make bench` measures 330 MB with 4 tabs and 625 MB with 12. That is 45 MB per tab, on pages lighter than most.
BASE_MB = 220
MB_PER_TAB = 120
# Reserve for one page that is far heavier than the others.
HEAVY_PAGE_MB = 300


@dataclass(frozen=True, slots=True)
class Figures:
    """What one capture takes.

    `duration_ms` is the time from claim to stored image on a worker that is not busy, `p99_ms` its 99th percentile
    under load. `source` says where the figures come from. `machine_cpu_ms` is the CPU time of the whole machine per
    capture, the emulator's included; it is known only when a load test measured it.
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
        """The time of a capture in which it needs no CPU."""
        return max(0.0, self.duration_ms - self.cpu_ms) / MS

    @property
    def waiting_share(self) -> float:
        """The share of its duration that a capture waits, 0 to 1."""
        return self.waiting_seconds / max(self.duration_ms / MS, 1e-9)

    def to_wire(self) -> dict[str, Any]:
        """Return the figures under their wire names."""
        return {
            "cpuMs": round(self.cpu_ms),
            "durationMs": round(self.duration_ms),
            "p99Ms": round(self.p99_ms),
            "bytes": round(self.bytes),
            "waitingShare": round(self.waiting_share, 3),
            "source": self.source,
        }


ASSUMED = Figures(
    ASSUMED_CPU_MS,
    ASSUMED_DURATION_MS,
    ASSUMED_P99_MS,
    ASSUMED_BYTES,
    "assumed: the pages of the benchmark at 300 ms per response",
)


def from_load_test(path: Path) -> Figures:
    """Read the file that `load-test --out` wrote. Raises click.UsageError when it is not such a file."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        durations = result["durationMs"]
        if not float(result["cpuMs"]) > 0:
            raise ValueError("it has no CPU time of a capture")
        return Figures(
            cpu_ms=float(result["cpuMs"]),
            # Under load, captures also wait for a CPU. The shortest ones hardly do.
            duration_ms=float(durations["p10"]),
            p99_ms=float(durations["p99"]),
            bytes=float(result["bytes"]),
            source=f"load test of {result['captured']} captures",
            machine_cpu_ms=result.get("machineCpuMs"),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.UsageError(
            f"{path} is not the output of `stillframe load-test --out` ({type(error).__name__}: {error})"
        ) from error


def from_records(records: Iterable[Record]) -> Figures:
    """Summarize the records of captures. Raises click.UsageError when none has a CPU time and a duration."""
    # An image that was adopted took next to no time.
    measured = [r for r in records if r.status is Status.SUCCESS and r.cpu_ms and r.duration_ms]
    if not measured:
        raise click.UsageError(
            "The table has no record of a successful capture. Capture something first, or use --from or --cpu-ms."
        )
    durations = sorted(r.duration_ms or 0 for r in measured)
    return Figures(
        cpu_ms=statistics.fmean(r.cpu_ms or 0 for r in measured),
        duration_ms=statistics.median(durations),
        p99_ms=durations[min(len(durations) - 1, int(len(durations) * 0.99))],
        bytes=statistics.fmean(r.bytes or 0 for r in measured),
        source=f"{len(measured)} records",
    )
