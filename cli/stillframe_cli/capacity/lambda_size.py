"""The function that serves a target: memory, tabs, batch, concurrency, time-outs, and its bill."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from stillframe.cost import LAMBDA_USD_PER_GB_SECOND, MAX_LAMBDA_MB, MB_PER_GB

from .figures import MS, Figures
from .limits import MAX_CONCURRENCY_SETTING, MIN_POLLERS, MOST_POLLERS, POLLER_CONCURRENCY
from .prices import LAMBDA_PER_REQUEST, monthly_services_usd
from .target import Target
from .worker import MOST_BATCH, Worker, lambda_vcpus, worker_of

# Half a vCPU to two: beyond, a page's own work, which is mostly on one thread, gains nothing.
MEMORY_SIZES = (1024, 1536, 1769, 2048, 3008, 3538)
LEAST_CONCURRENCY = 2
# Room for what comes unevenly within a second.
HEADROOM = 1.25
# "Configuring an Amazon SQS queue to use with Lambda": six times the function's time-out.
VISIBILITY_TO_TIMEOUT = 6
VISIBILITY_TO_P99 = 2
LEAST_TIMEOUT = 60
MOST_TIMEOUT = 900
# A job ends so long before its function.
DEADLINE_MARGIN = 10


@dataclass(frozen=True, slots=True)
class LambdaSize:
    """One way to run it as a function. Seconds and USD as the names say."""

    worker: Worker
    batch_size: int
    captures_per_second: float
    concurrency: int
    timeout_seconds: int
    job_deadline_seconds: int
    visibility_seconds: int
    usd_per_capture: float

    @property
    def needs_pollers(self) -> bool:
        """Whether the mapping's own maximum is not enough."""
        return self.concurrency > MAX_CONCURRENCY_SETTING

    @property
    def max_pollers(self) -> int:
        return min(MOST_POLLERS, math.ceil(self.concurrency / POLLER_CONCURRENCY))

    def to_context(self) -> dict[str, Any]:
        """The values for `cdk deploy`."""
        context: dict[str, Any] = {
            "stillframe:compute": "lambda",
            "stillframe:memoryMb": self.worker.memory_mb,
            "stillframe:tabs": self.worker.tabs,
            "stillframe:batchSize": self.batch_size,
            "stillframe:functionTimeoutSeconds": self.timeout_seconds,
            "stillframe:jobDeadlineSeconds": self.job_deadline_seconds,
        }
        if self.needs_pollers:
            return {
                **context,
                "stillframe:minPollers": MIN_POLLERS,
                "stillframe:maxPollers": self.max_pollers,
                "stillframe:reservedConcurrency": self.max_pollers * POLLER_CONCURRENCY,
            }
        return {
            **context,
            "stillframe:maxConcurrency": self.concurrency,
            "stillframe:reservedConcurrency": self.concurrency,
        }


def lambda_size(figures: Figures, target: Target, architecture: str) -> LambdaSize:
    """The cheapest a capture; of two that cost the same, the one that needs less concurrency."""
    sizes = [size for memory in MEMORY_SIZES if (size := _of(figures, target, architecture, memory)) is not None]
    cheapest = min(size.usd_per_capture for size in sizes)
    # Within a twentieth, it is the same: the model is no better than that.
    return min((size for size in sizes if size.usd_per_capture <= cheapest * 1.05), key=lambda size: size.concurrency)


def _of(figures: Figures, target: Target, architecture: str, memory: int) -> LambdaSize | None:
    assert memory <= MAX_LAMBDA_MB
    worker = worker_of(figures, lambda_vcpus(memory), memory, MOST_BATCH)
    if worker is None:
        return None
    # An event is over when its slowest capture is: the mean of the longest of so many (exponential: harmonic numbers),
    # and never sooner than its CPU time takes.
    batch = worker.tabs
    longest = figures.duration_ms / MS * _mean_of_longest(batch, figures)
    event_seconds = max(longest, batch * figures.cpu_seconds / worker.vcpus)
    speed = batch / event_seconds
    timeout = min(MOST_TIMEOUT, max(LEAST_TIMEOUT, math.ceil(2 * figures.p99_ms / MS) + DEADLINE_MARGIN))
    usd = memory / MB_PER_GB * event_seconds / batch * LAMBDA_USD_PER_GB_SECOND[architecture]
    return LambdaSize(
        worker=worker,
        batch_size=batch,
        captures_per_second=speed,
        concurrency=max(LEAST_CONCURRENCY, math.ceil(target.peak_per_second * HEADROOM / speed)),
        timeout_seconds=timeout,
        job_deadline_seconds=timeout - DEADLINE_MARGIN,
        visibility_seconds=visibility_timeout(figures, timeout),
        usd_per_capture=usd + LAMBDA_PER_REQUEST / batch,
    )


def visibility_timeout(figures: Figures, function_timeout: int) -> int:
    """Twice the 99th percentile, and never under six times the function's time-out. Seconds."""
    return max(math.ceil(VISIBILITY_TO_P99 * figures.p99_ms / MS), VISIBILITY_TO_TIMEOUT * function_timeout)


def _mean_of_longest(count: int, figures: Figures) -> float:
    """How much longer the longest of so many captures takes than one, from the 99th percentile.

    The spread is taken as exponential above the median: its 99th percentile is ln(50) scales above, the longest of n
    is ln(n) to first order.
    """
    spread = max(0.0, figures.p99_ms - figures.duration_ms) / math.log(50)
    return (figures.duration_ms + spread * math.log(max(1, count))) / figures.duration_ms


def monthly_usd(size: LambdaSize, figures: Figures, target: Target) -> dict[str, float]:
    """By service."""
    captures = target.per_month
    return {"compute": captures * size.usd_per_capture, **monthly_services_usd(captures, figures.bytes)}
