"""The plan: compares a function with a fleet by cost and by their waiting time at the peak, and chooses one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stillframe.cost import PRICES_AS_OF

from ..counted import counted
from . import fleet_size, lambda_size
from .figures import Figures
from .fleet_size import FleetSize
from .lambda_size import THOUSAND, LambdaSize
from .limits import MIN_POLLERS, Limit, find_limits
from .load_profile import LoadProfile
from .prices import DATA_OUT_PER_GB
from .scaling import FleetScaler, MappingScaler, provisioned_mapping, standard_mapping
from .target import Target
from .timeline import Timeline, simulate
from .worker import MEMORY_TARGET

MAX_PER_HOUR_OF_ONE_STACK = 1e6
# Warn about limits of which the load needs more than this share.
WARNING_SHARE = 0.5
# A fleet takes more care than a function, so it must save at least this share of the cost.
MIN_FLEET_SAVING = 0.10
# It is worth saying how events could be fuller if that would save at least this share of the price of compute.
MIN_EVENT_SAVING = 0.20
PRICE_SOURCE = "list prices of aws.amazon.com, no free tier"


@dataclass(frozen=True)
class Plan:
    """Sizes, costs and simulations for a target. Everything is derived from the target and the figures of a capture."""

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
        """The load to simulate: the given one, or a peak of twenty minutes."""
        return self.profile or LoadProfile.with_peak(self.target.per_second, self.target.peak_per_second)

    @cached_property
    def function_timeline(self) -> Timeline:
        return simulate(self.load, self.mapping, self.function.captures_per_second)

    @cached_property
    def fleet_timeline(self) -> Timeline:
        scaler = FleetScaler(self.fleet.min_tasks, self.fleet.max_tasks, self.fleet.worker.vcpus)
        return simulate(self.load, scaler, self.fleet.worker.captures_per_second)

    @property
    def mapping(self) -> MappingScaler:
        """A new scaler for the mapping, as the plan configures it."""
        size = self.function
        if size.needs_pollers:
            return provisioned_mapping(MIN_POLLERS, size.max_pollers, reserved=0)
        return standard_mapping(size.concurrency, reserved=0)

    @cached_property
    def monthly(self) -> dict[str, dict[str, float]]:
        """USD per month, by kind of compute and by service."""
        return {
            "lambda": lambda_size.monthly_usd(self.function, self.figures, self.target),
            "fargate": fleet_size.monthly_usd(self.fleet, self.figures, self.target),
        }

    @property
    def choice(self) -> str:
        """`lambda` or `fargate`.

        The function, unless the fleet saves enough or is the only one that meets the deadline. When neither meets it,
        the one with the shorter wait.
        """
        waits = {"lambda": self.function_timeline.longest_wait, "fargate": self.fleet_timeline.longest_wait}
        in_time = [kind for kind, wait in waits.items() if wait <= self.target.deadline_seconds]
        if not in_time:
            return min(waits, key=lambda kind: waits[kind])
        if len(in_time) == 1:
            return in_time[0]
        usd = {kind: sum(each.values()) for kind, each in self.monthly.items()}
        return "fargate" if usd["fargate"] < usd["lambda"] * (1 - MIN_FLEET_SAVING) else "lambda"

    @cached_property
    def limits(self) -> list[Limit]:
        """The limits of AWS for the chosen compute at the peak, the one that binds first at the head."""
        is_function = self.choice == "lambda"
        return find_limits(
            self.target.peak_per_second,
            self.function.concurrency if is_function else 0,
            0 if is_function else self.fleet.vcpus,
            0 if is_function else self.fleet.max_tasks,
            self.function.concurrency * self.function.batch_size
            if is_function
            else self.fleet.max_tasks * self.fleet.worker.tabs * 2,
        )

    def reasons(self) -> list[str]:
        """Return sentences that explain the plan: function or fleet, tabs or workers, and which limits to raise."""
        return [self._explain_choice(), self._explain_tabs(), *self._explain_events(), *self._warnings()]

    def to_wire(self) -> dict[str, Any]:
        """Return the plan under its wire names."""
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
                "fullEvent": function.full_event.to_wire(self.architecture),
                "eventOfOne": function.event_of_one.to_wire(self.architecture),
                "usualEvent": function.usual_event.to_wire(self.architecture),
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
            # Traffic into AWS is free. Fetching the images from outside of AWS is not, and depends on the reader.
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
        """Return the context values for `cdk deploy` of the chosen compute."""
        chosen = self.function if self.choice == "lambda" else self.fleet
        return {**chosen.to_context(), "stillframe:architecture": self.architecture}

    def _explain_tabs(self) -> str:
        worker, figures = self.function.worker, self.figures
        waiting = f"A capture waits for {figures.waiting_share:.0%} of its {figures.duration_ms:.0f} ms."
        tabs = counted(worker.tabs, "tab")
        if worker.binding == "cpu":
            return (
                f"{waiting} With {tabs}, a function with {worker.vcpus:.2g} vCPUs uses "
                f"{worker.cpu_share:.0%} of its CPU. A higher load takes more workers, not more tabs."
            )
        if worker.binding == "memory":
            return (
                f"{waiting} Memory is the limit: {worker.tabs} tabs use {MEMORY_TARGET:.0%} of {worker.memory_mb} MB. "
                "A higher load takes more workers, or more memory for each."
            )
        return (
            f"{waiting} A function has at most {worker.tabs} tabs, one for each message of an SQS event, so a higher "
            "load takes more workers. A worker of a fleet has as many tabs as its CPU can bear."
        )

    def _explain_events(self) -> list[str]:
        usual, full = self.function.usual_event, self.function.full_event
        usd = [each.usd_per_capture(self.architecture) * THOUSAND for each in (usual, full)]
        if self.choice != "lambda" or usd[0] < usd[1] * (1 + MIN_EVENT_SAVING):
            return []
        captures = counted(usual.batch, "capture")
        return [
            f"At the average load, an event has about {captures}, and compute costs {usd[0]:.4f} USD per thousand "
            f"captures; in events of {full.batch} it is {usd[1]:.4f} USD. With batchWindowSeconds, messages wait "
            "for up to so long to share an event."
        ]

    def _explain_choice(self) -> str:
        usd = {kind: sum(each.values()) for kind, each in self.monthly.items()}
        waits = {"lambda": self.function_timeline.longest_wait, "fargate": self.fleet_timeline.longest_wait}
        chosen, other = self.choice, "fargate" if self.choice == "lambda" else "lambda"
        deadline = self.target.deadline_seconds
        text = (
            f"Use {chosen}: it costs {usd[chosen]:,.0f} USD per month, and at the peak a message waits up to "
            f"{waits[chosen]:,.0f} s. With {other}, it is {usd[other]:,.0f} USD and {waits[other]:,.0f} s."
        )
        if waits[chosen] > deadline:
            return f"{text} Neither meets the deadline of {deadline:.0f} s."
        if waits[other] > deadline:
            return f"{text} Only {chosen} meets the deadline of {deadline:.0f} s."
        saving = 1 - usd["fargate"] / usd["lambda"]
        if chosen == "fargate":
            return f"{text} Both meet the deadline of {deadline:.0f} s, and the fleet saves {saving:.0%}."
        if saving > 0:
            return (
                f"{text} Both meet the deadline of {deadline:.0f} s; the fleet would save only {saving:.0%}, and takes "
                "more care."
            )
        return f"{text} Both meet the deadline of {deadline:.0f} s, and {chosen} costs less and takes less care."

    def _warnings(self) -> list[str]:
        warnings = [
            f"{limit.name}: the load needs {limit.needed:,.0f} of {limit.quota:,.0f}. {limit.raise_by}"
            for limit in self.limits
            if limit.share > WARNING_SHARE
        ]
        if self.target.per_hour > MAX_PER_HOUR_OF_ONE_STACK:
            warnings.append("Above a million captures per hour, deploy several stacks, each with a queue of its own.")
        return warnings


def _rounded(usd: dict[str, float]) -> dict[str, float]:
    return {**{name: round(value, 2) for name, value in usd.items()}, "total": round(sum(usd.values()), 2)}
