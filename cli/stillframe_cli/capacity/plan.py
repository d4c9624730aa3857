"""The plan: both ways to run it, what each costs and does under the peak, which one, and why."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stillframe.cost import PRICES_AS_OF

from . import fleet_size, lambda_size
from .figures import Figures
from .fleet_size import FleetSize
from .lambda_size import LambdaSize
from .limits import MIN_POLLERS, POLLER_CONCURRENCY, Limit, limits_of
from .load_profile import LoadProfile
from .prices import DATA_OUT_PER_GB
from .scaling import FleetScaler, MappingScaler, provisioned, standard
from .target import Target
from .timeline import Timeline, simulate
from .worker import CPU_TARGET, MEMORY_TARGET

MILLION_AN_HOUR = 1e6
MOSTLY = 0.5
# A fleet is more to look after: what it has to save.
WORTH_A_FLEET = 0.10
PRICE_SOURCE = "list prices of aws.amazon.com, no free tier"


@dataclass(frozen=True)
class Plan:
    """Everything follows from what is wanted and what a capture is like."""

    target: Target
    figures: Figures
    architecture: str = "arm64"
    spot: bool = False
    profile: LoadProfile | None = None

    @cached_property
    def function(self) -> LambdaSize:
        return lambda_size.lambda_size(self.figures, self.target, self.architecture)

    @cached_property
    def fleet(self) -> FleetSize:
        return fleet_size.fleet_size(self.figures, self.target, self.architecture, self.spot)

    @cached_property
    def load(self) -> LoadProfile:
        """The load that is simulated: the one that is given, or a peak of twenty minutes."""
        return self.profile or LoadProfile.day_peak(self.target.per_second, self.target.peak_per_second)

    @cached_property
    def function_timeline(self) -> Timeline:
        return simulate(self.load, self.mapping, self.function.captures_per_second)

    @cached_property
    def fleet_timeline(self) -> Timeline:
        scaler = FleetScaler(self.fleet.min_tasks, self.fleet.max_tasks)
        return simulate(self.load, scaler, self.fleet.worker.captures_per_second)

    @property
    def mapping(self) -> MappingScaler:
        """A fresh one, as the plan configures it."""
        size = self.function
        if size.needs_pollers:
            return provisioned(MIN_POLLERS, size.max_pollers, size.max_pollers * POLLER_CONCURRENCY)
        return standard(size.concurrency, size.concurrency)

    @cached_property
    def monthly(self) -> dict[str, dict[str, float]]:
        """USD by way and service."""
        return {
            "lambda": lambda_size.monthly_usd(self.function, self.figures, self.target),
            "fargate": fleet_size.monthly_usd(self.fleet, self.figures, self.target),
        }

    @property
    def choice(self) -> str:
        """The function, unless the fleet is worth it or keeps the deadline alone; the sooner one when neither does."""
        waits = {"lambda": self.function_timeline.longest_wait, "fargate": self.fleet_timeline.longest_wait}
        in_time = [way for way, wait in waits.items() if wait <= self.target.deadline_seconds]
        if not in_time:
            return min(waits, key=lambda way: waits[way])
        if len(in_time) == 1:
            return in_time[0]
        usd = {way: sum(each.values()) for way, each in self.monthly.items()}
        return "fargate" if usd["fargate"] < usd["lambda"] * (1 - WORTH_A_FLEET) else "lambda"

    @cached_property
    def limits(self) -> list[Limit]:
        """AWS's limits at the peak of the way that is chosen, the one that binds first at the head."""
        is_function = self.choice == "lambda"
        return limits_of(
            self.target.peak_per_second,
            self.function.concurrency if is_function else 0,
            0 if is_function else self.fleet.vcpus,
            0 if is_function else self.fleet.max_tasks,
            self.function.concurrency * self.function.batch_size
            if is_function
            else self.fleet.max_tasks * self.fleet.worker.tabs * 2,
        )

    def reasons(self) -> list[str]:
        """Why, in sentences: more tabs or more workers, and which way."""
        return [self._tabs_or_workers(), self._why_chosen(), *self._warnings()]

    def to_wire(self) -> dict[str, Any]:
        """Wire names."""
        function, fleet = self.function, self.fleet
        return {
            "target": self.target.to_wire(),
            "figures": self.figures.to_wire(),
            "choice": self.choice,
            "reasons": self.reasons(),
            "lambda": {
                "memoryMb": function.worker.memory_mb,
                "tabs": function.worker.tabs,
                "batchSize": function.batch_size,
                "concurrency": function.concurrency,
                "capturesPerSecondEach": round(function.captures_per_second, 3),
                "functionTimeoutSeconds": function.timeout_seconds,
                "visibilityTimeoutSeconds": function.visibility_seconds,
                "provisionedPollers": function.needs_pollers,
                "longestWaitSeconds": round(self.function_timeline.longest_wait),
                "usdPerMonth": _rounded(self.monthly["lambda"]),
            },
            "fargate": {
                "vcpus": fleet.worker.vcpus,
                "memoryMb": fleet.worker.memory_mb,
                "tabs": fleet.worker.tabs,
                "minTasks": fleet.min_tasks,
                "maxTasks": fleet.max_tasks,
                "capturesPerSecondEach": round(fleet.worker.captures_per_second, 3),
                "longestWaitSeconds": round(self.fleet_timeline.longest_wait),
                "usdPerMonth": _rounded(self.monthly["fargate"]),
            },
            # Into AWS nothing is paid for; out of it, whoever fetches the pictures from elsewhere pays.
            "dataOutUsdPerMonth": round(self.target.per_month * self.figures.bytes / 1e9 * DATA_OUT_PER_GB, 2),
            "limits": [limit.to_wire() for limit in self.limits],
            "prices": {
                "asOf": PRICES_AS_OF,
                "region": "us-east-1",
                "source": PRICE_SOURCE,
            },
            "context": self.context(),
        }

    def context(self) -> dict[str, Any]:
        """For `cdk deploy`, of the way that is chosen."""
        chosen = self.function if self.choice == "lambda" else self.fleet
        return {**chosen.to_context(), "stillframe:architecture": self.architecture}

    def _tabs_or_workers(self) -> str:
        worker, figures = self.function.worker, self.figures
        share = f"a capture waits for {figures.waiting_share:.0%} of its {figures.duration_ms:.0f} ms"
        if worker.binding == "cpu":
            return (
                f"{share}: {worker.tabs} tabs bring {worker.vcpus:.2g} vCPUs to {CPU_TARGET:.0%}. "
                "More than that takes more workers, not more tabs."
            )
        if worker.binding == "memory":
            return (
                f"{share}, and memory is what binds: {worker.tabs} tabs take {MEMORY_TARGET:.0%} of "
                f"{worker.memory_mb} MB. More workers, or more memory each."
            )
        return (
            f"{share}, and {worker.tabs} tabs is what an event of SQS fills: more workers. "
            "A fleet's workers have as many tabs as their CPU bears."
        )

    def _why_chosen(self) -> str:
        usd = {way: sum(each.values()) for way, each in self.monthly.items()}
        waits = {"lambda": self.function_timeline.longest_wait, "fargate": self.fleet_timeline.longest_wait}
        other = "fargate" if self.choice == "lambda" else "lambda"
        told = (
            f"{self.choice}: {usd[self.choice]:,.0f} USD a month, at the peak a message waits up to "
            f"{waits[self.choice]:,.0f} s; {other}: {usd[other]:,.0f} USD and {waits[other]:,.0f} s."
        )
        if waits[self.choice] > self.target.deadline_seconds:
            return f"{told} Neither keeps {self.target.deadline_seconds:.0f} s."
        if waits[other] > self.target.deadline_seconds:
            return f"{told} Only {self.choice} keeps {self.target.deadline_seconds:.0f} s."
        return told

    def _warnings(self) -> list[str]:
        told = [
            f"{limit.name}: {limit.needed:,.0f} of {limit.quota:,.0f} are needed. {limit.raise_by}"
            for limit in self.limits
            if limit.share > MOSTLY
        ]
        if self.target.per_hour <= MILLION_AN_HOUR:
            return told
        return [*told, "beyond a million an hour: a stack for each tenth of the load, with queues of their own"]


def _rounded(usd: dict[str, float]) -> dict[str, float]:
    return {**{name: round(value, 2) for name, value in usd.items()}, "total": round(sum(usd.values()), 2)}
