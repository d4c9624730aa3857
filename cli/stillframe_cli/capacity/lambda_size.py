"""The Lambda function for a target: memory, tabs, batch size, concurrency, timeouts, and its cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from stillframe.cost import LAMBDA_USD_PER_GB_SECOND, MAX_LAMBDA_MB, MB_PER_GB

from .figures import MS, Figures
from .limits import MAX_CONCURRENCY_SETTING, MAX_POLLERS, MIN_POLLERS, POLLER_CONCURRENCY
from .prices import LAMBDA_PER_REQUEST, monthly_services_usd
from .target import Target
from .worker import MAX_BATCH_SIZE, Worker, lambda_vcpus, size_worker

# Half a vCPU to two vCPUs. More gain nothing, because most of a page's work runs on one thread.
MEMORY_SIZES = (1024, 1536, 1769, 2048, 3008, 3538)
MIN_CONCURRENCY = 2
# Capacity in reserve, because messages do not arrive evenly within a second.
HEADROOM = 1.25
# Six times the function's timeout ("Configuring an Amazon SQS queue to use with Lambda").
VISIBILITY_TO_TIMEOUT = 6
VISIBILITY_TO_P99 = 2
MIN_TIMEOUT = 60
MAX_TIMEOUT = 900
# A job ends this many seconds before its function's timeout.
DEADLINE_MARGIN = 10


@dataclass(frozen=True, slots=True)
class LambdaSize:
    """A function and its event source mapping. `captures_per_second` is that of one execution environment."""

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
        """Whether the function needs more concurrency than a mapping without provisioned pollers can have."""
        return self.concurrency > MAX_CONCURRENCY_SETTING

    @property
    def max_pollers(self) -> int:
        return min(MAX_POLLERS, math.ceil(self.concurrency / POLLER_CONCURRENCY))

    def to_context(self) -> dict[str, Any]:
        """Return the context values for `cdk deploy`."""
        context: dict[str, Any] = {
            "stillframe:compute": "lambda",
            "stillframe:memoryMb": self.worker.memory_mb,
            "stillframe:tabs": self.worker.tabs,
            "stillframe:batchSize": self.batch_size,
            "stillframe:functionTimeoutSeconds": self.timeout_seconds,
            "stillframe:jobDeadlineSeconds": self.job_deadline_seconds,
        }
        if self.needs_pollers:
            return {**context, "stillframe:minPollers": MIN_POLLERS, "stillframe:maxPollers": self.max_pollers}
        return {**context, "stillframe:maxConcurrency": self.concurrency}


def lambda_size(figures: Figures, target: Target, architecture: str) -> LambdaSize:
    """Return the function with the lowest cost per capture; among equal costs, the one with the least concurrency."""
    sized = (_size_function(figures, target, architecture, memory) for memory in MEMORY_SIZES)
    sizes = [size for size in sized if size is not None]
    cheapest = min(size.usd_per_capture for size in sizes)
    # Costs within 5 % count as equal: the model is not more exact than that.
    return min((size for size in sizes if size.usd_per_capture <= cheapest * 1.05), key=lambda size: size.concurrency)


def _size_function(figures: Figures, target: Target, architecture: str, memory: int) -> LambdaSize | None:
    assert memory <= MAX_LAMBDA_MB
    worker = size_worker(figures, lambda_vcpus(memory), memory, MAX_BATCH_SIZE)
    if worker is None:
        return None
    # An invocation takes as long as its slowest capture (the mean of the longest of a batch), and at least as long as
    # the CPU time of all of them.
    batch = worker.tabs
    slowest = figures.duration_ms / MS * _slowest_in_batch(batch, figures)
    invocation_seconds = max(slowest, batch * figures.cpu_seconds / worker.vcpus)
    speed = batch / invocation_seconds
    timeout = min(MAX_TIMEOUT, max(MIN_TIMEOUT, math.ceil(2 * figures.p99_ms / MS) + DEADLINE_MARGIN))
    usd = memory / MB_PER_GB * invocation_seconds / batch * LAMBDA_USD_PER_GB_SECOND[architecture]
    return LambdaSize(
        worker=worker,
        batch_size=batch,
        captures_per_second=speed,
        concurrency=max(MIN_CONCURRENCY, math.ceil(target.peak_per_second * HEADROOM / speed)),
        timeout_seconds=timeout,
        job_deadline_seconds=timeout - DEADLINE_MARGIN,
        visibility_seconds=visibility_timeout(figures, timeout),
        usd_per_capture=usd + LAMBDA_PER_REQUEST / batch,
    )


def visibility_timeout(figures: Figures, function_timeout: int) -> int:
    """Return the visibility timeout in seconds: twice the p99, and at least six times the function's timeout."""
    return max(math.ceil(VISIBILITY_TO_P99 * figures.p99_ms / MS), VISIBILITY_TO_TIMEOUT * function_timeout)


def _slowest_in_batch(count: int, figures: Figures) -> float:
    """Return how many times longer the slowest of `count` captures takes than a typical one, on average.

    The durations above the median are taken as exponential. Their 99th percentile is then ln(50) times the scale above
    the median, and the slowest of n, to first order, ln(n) times.
    """
    spread = max(0.0, figures.p99_ms - figures.duration_ms) / math.log(50)
    return (figures.duration_ms + spread * math.log(max(1, count))) / figures.duration_ms


def monthly_usd(size: LambdaSize, figures: Figures, target: Target) -> dict[str, float]:
    """Return USD per month by service."""
    captures = target.per_month
    services = monthly_services_usd(captures, figures.bytes, batch_size=size.batch_size)
    return {"compute": captures * size.usd_per_capture, **services}
