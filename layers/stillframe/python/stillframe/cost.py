"""What a capture costs: the worker time that it took, and Lambda's price for that time.

Prices are AWS's list prices in us-east-1 without any free tier, as of PRICES_AS_OF.
Source: https://aws.amazon.com/lambda/pricing/ (first tier), read through public copies of that page.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from typing import Any

PRICES_AS_OF = "2026-11"
LAMBDA_USD_PER_GB_SECOND = {"arm64": 0.0000133334, "x86": 0.0000166667}
# The memory size at which a function has one vCPU (AWS Lambda, "Configure Lambda function memory").
MB_PER_VCPU = 1769
MAX_LAMBDA_MB = 10_240
MB_PER_GB = 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """The share of the worker's time that one capture took, in milliseconds.

    `cpu_ms` is CPU time of the worker and its browser. `billed_ms` is the capture's share of the time during which the
    worker was busy: a worker with four tabs is billed once for the time that four captures take together.
    """

    cpu_ms: int
    billed_ms: int
    memory_mb: int

    @property
    def usd(self) -> dict[str, float]:
        """The price of the billed time by architecture, in USD, rounded to six significant digits."""
        return usd_by_architecture(self.billed_ms, self.memory_mb)

    def to_wire(self) -> dict[str, Any]:
        """Wire names."""
        return {
            "cpuMs": self.cpu_ms,
            "billedMs": self.billed_ms,
            "memoryMb": self.memory_mb,
            "estimatedUsd": self.usd,
        }


def usd_by_architecture(billed_ms: int, memory_mb: int) -> dict[str, float]:
    """The price of so much time of a function with so much memory, by architecture, in USD."""
    return {name: lambda_usd(billed_ms / 1000, memory_mb, name) for name in LAMBDA_USD_PER_GB_SECOND}


def lambda_usd(billed_seconds: float, memory_mb: int, architecture: str) -> float:
    """The list price of a function's time in USD, without the price per request, to six significant digits."""
    usd = billed_seconds * memory_mb / MB_PER_GB * LAMBDA_USD_PER_GB_SECOND[architecture]
    return float(f"{usd:.6g}")


def billed_memory_mb(function_memory_mb: int | None) -> int:
    """The memory that is paid for in MB: the function's, or outside Lambda that of a function with as many CPUs."""
    if function_memory_mb is not None:
        return function_memory_mb
    return min(MAX_LAMBDA_MB, MB_PER_VCPU * len(os.sched_getaffinity(0)))


def worker_architecture() -> str:
    """The architecture whose price applies to this worker: `arm64` or `x86`."""
    return "arm64" if platform.machine() in ("aarch64", "arm64") else "x86"
