"""The Lambda function for a target: memory, tabs, batch size, concurrency, timeouts, and its cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from stillframe.cost import LAMBDA_USD_PER_GB_SECOND, MAX_LAMBDA_MB, MB_PER_GB

from .figures import MS, Figures
from .limits import MAPPING_START, MAX_CONCURRENCY_SETTING, MAX_POLLERS, MIN_POLLERS, POLLER_CONCURRENCY
from .prices import LAMBDA_PER_REQUEST, monthly_services_usd
from .target import Target
from .worker import MAX_BATCH_SIZE, Worker, lambda_vcpus, tabs_that_fit

# Half a vCPU to two vCPUs. More gain nothing, because most of a page's work runs on one thread.
MEMORY_SIZES = (1024, 1536, 1769, 2048, 3008, 3538)
MIN_CONCURRENCY = 2
# A tab more must save so much of a capture's price.
MIN_TAB_SAVING = 0.025
# What an invocation takes besides its captures: reading the event, and writing its answer and its metrics.
EVENT_SECONDS = 0.06
# Of a page's waiting, the share in which nobody in a full event computes. Events of 5 and 7 at 1,536 MB and of 7 and 10
# at 2,048 MB took 1.27, 1.60, 1.31 and 1.71 s; the model says 1.29, 1.73, 1.30 and 1.84 s.
WAITING_SHARE = 1 / 4
# What the initialisation of an execution environment takes, which is billed like an invocation ("AWS Lambda
# standardizes billing for INIT Phase"): imports, and the browser (`make bench-lambda`, at the CPU of 1,536 MB).
INITIALISATION_SECONDS = 0.65
# After so long without an event, an execution environment is taken to be gone. AWS documents no time.
IDLE_SECONDS = 600
THOUSAND = 1000
# Capacity in reserve, because messages do not arrive evenly within a second, and because one machine computes faster
# than another: in the same container, one did nearly twice as many captures.
HEADROOM = 1.8
# Six times the function's timeout ("Configuring an Amazon SQS queue to use with Lambda").
VISIBILITY_TO_TIMEOUT = 6
VISIBILITY_TO_P99 = 2
MIN_TIMEOUT = 60
# Less than Lambda allows: a deployment takes jobs of up to 840 s.
MAX_TIMEOUT = 850
# A job ends this many seconds before its function's timeout.
DEADLINE_MARGIN = 10


@dataclass(frozen=True, slots=True)
class Invocation:
    """An invocation of a function with so much memory, in MB, for an event of so many captures."""

    memory_mb: int
    batch: int
    seconds: float

    @classmethod
    def of(cls, figures: Figures, memory_mb: int, batch: int) -> Self:
        """How long it takes by a model, which is within a tenth of what `make bench-lambda` measures.

        The captures share the CPU, and while some wait, others compute. Before the pages have answered, there is
        nothing to compute but the tabs of the next event, so that a quarter of their waiting counts. An event takes at
        least as long as its slowest capture would alone.
        """
        vcpus = lambda_vcpus(memory_mb)
        alone = figures.waiting_seconds + figures.cpu_seconds / min(1.0, vcpus)
        together = figures.waiting_seconds * WAITING_SHARE + batch * figures.cpu_seconds / vcpus
        return cls(memory_mb, batch, EVENT_SECONDS + max(alone * _slowest_in_batch(batch, figures), together))

    @property
    def captures_per_second(self) -> float:
        return self.batch / self.seconds

    def usd_per_capture(self, architecture: str) -> float:
        """The price of time and request, without the services that a capture uses."""
        gb_seconds = self.memory_mb / MB_PER_GB * self.seconds
        return (gb_seconds * LAMBDA_USD_PER_GB_SECOND[architecture] + LAMBDA_PER_REQUEST) / self.batch

    def to_wire(self, architecture: str) -> dict[str, Any]:
        """The invocation under its wire names. Prices are those of compute."""
        return {
            "captures": self.batch,
            "capturesPerSecond": round(self.captures_per_second, 3),
            "usdPerThousand": round(self.usd_per_capture(architecture) * THOUSAND, 5),
        }


@dataclass(frozen=True, slots=True)
class LambdaSize:
    """A function and its event source mapping: what one of its execution environments does with events."""

    worker: Worker
    full_event: Invocation
    event_of_one: Invocation
    usual_event: Invocation
    concurrency: int
    timeout_seconds: int
    job_deadline_seconds: int
    visibility_seconds: int
    usd_per_capture: float

    @property
    def batch_size(self) -> int:
        return self.full_event.batch

    @property
    def captures_per_second(self) -> float:
        """The captures of full events, each of which follows the one before it."""
        return self.full_event.captures_per_second

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
    """Return the function with the cheapest full events; among equal costs, the one with the cheapest events of one."""
    sized = (_size_function(figures, target, architecture, memory) for memory in MEMORY_SIZES)
    usd = {size: size.full_event.usd_per_capture(architecture) for size in sized if size is not None}
    # Costs within 5 % count as equal: the model is not more exact than that.
    equal = (size for size in usd if usd[size] <= min(usd.values()) * 1.05)
    return min(equal, key=lambda size: size.event_of_one.usd_per_capture(architecture))


def _size_function(figures: Figures, target: Target, architecture: str, memory: int) -> LambdaSize | None:
    assert memory <= MAX_LAMBDA_MB
    fitting = tabs_that_fit(memory, MAX_BATCH_SIZE)
    if not fitting:
        return None
    invocation = _best_invocation(figures, memory, fitting, architecture)
    speed = invocation.captures_per_second
    worker = Worker.of(figures, lambda_vcpus(memory), memory, invocation.batch, speed)
    concurrency = max(MIN_CONCURRENCY, math.ceil(target.peak_per_second * HEADROOM / speed))
    usual = _usual_event(invocation, figures, target.per_second, concurrency)
    longest = max(figures.p99_ms / MS, invocation.seconds)
    timeout = min(MAX_TIMEOUT, max(MIN_TIMEOUT, math.ceil(2 * longest) + DEADLINE_MARGIN))
    return LambdaSize(
        worker=worker,
        full_event=invocation,
        event_of_one=Invocation.of(figures, memory, 1),
        usual_event=usual,
        concurrency=concurrency,
        timeout_seconds=timeout,
        job_deadline_seconds=timeout - DEADLINE_MARGIN,
        visibility_seconds=visibility_timeout(figures, timeout),
        usd_per_capture=usual.usd_per_capture(architecture) + _usd_to_start(usual, target.per_second, architecture),
    )


def _usual_event(full: Invocation, figures: Figures, per_second: float, concurrency: int) -> Invocation:
    """The invocation at a load of so many captures a second.

    A mapping begins with five events at once, and adds more only while messages are left ("Configuring scaling behavior
    for SQS event source mappings"). While one of the five is idle, a message is an event of its own at once; when all
    are busy, messages wait for each other. So events have as many captures as it takes to keep up with the load.
    """
    at_once = min(concurrency, max(MAPPING_START, per_second / full.captures_per_second))
    smaller = (Invocation.of(figures, full.memory_mb, each) for each in range(1, full.batch))
    return next((each for each in smaller if at_once * each.captures_per_second >= per_second), full)


def _usd_to_start(event: Invocation, per_second: float, architecture: str) -> float:
    """What the initialisation of execution environments adds to a capture, if captures are sent at random times."""
    starts = math.exp(-per_second / event.batch * IDLE_SECONDS) / event.batch
    gb_seconds = event.memory_mb / MB_PER_GB * INITIALISATION_SECONDS
    return starts * gb_seconds * LAMBDA_USD_PER_GB_SECOND[architecture]


def _best_invocation(figures: Figures, memory: int, tabs: Sequence[int], architecture: str) -> Invocation:
    """The one with the fewest tabs of which another one would save next to nothing: each makes all captures slower."""
    best, *others = (Invocation.of(figures, memory, each) for each in tabs)
    for other in others:
        saving = 1 - other.usd_per_capture(architecture) / best.usd_per_capture(architecture)
        if saving < MIN_TAB_SAVING:
            break
        best = other
    return best


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
    """Return USD per month by service, in events as the average load makes them."""
    captures = target.per_month
    services = monthly_services_usd(captures, figures.bytes, batch_size=size.usual_event.batch)
    return {"compute": captures * size.usd_per_capture, **services}
