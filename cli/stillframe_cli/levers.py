"""What an operator can turn: how much the function and the fleet do at once, and whether they do anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
import click
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_lambda import LambdaClient

# Of an SQS event source (AWS Lambda, "Configuring maximum concurrency").
LEAST_MAX_CONCURRENCY = 2
MOST_MAX_CONCURRENCY = 1000
TASKS: Final = "ecs:service:DesiredCount"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is to be another one. `apply` does it."""

    name: str
    before: Any
    after: Any
    apply: Callable[[], Any]

    def to_wire(self) -> dict[str, Any]:
        return {"setting": self.name, "before": self.before, "after": self.after}


class FunctionLevers:
    """The function and its event source mapping."""

    def __init__(self, client: LambdaClient, function_name: str) -> None:
        self._client = client
        self._function = function_name
        mappings = client.list_event_source_mappings(FunctionName=function_name)["EventSourceMappings"]
        if not mappings:
            raise click.ClickException(f"{function_name} has no event source mapping")
        self._mapping = mappings[0]

    @property
    def max_concurrency(self) -> int | None:
        """Of the mapping; None when it has no bound of its own."""
        return self._mapping.get("ScalingConfig", {}).get("MaximumConcurrency")

    @property
    def is_paused(self) -> bool:
        """Whether the mapping takes nothing from the queue, or is about to."""
        return self._mapping["State"] in ("Disabled", "Disabling")

    @property
    def reserved_concurrency(self) -> int | None:
        """None when the function takes from the account's pool."""
        try:
            return self._client.get_function_concurrency(FunctionName=self._function).get(
                "ReservedConcurrentExecutions"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise

    def to_wire(self) -> dict[str, Any]:
        """What is set now."""
        return {
            "function": self._function,
            "mapping": self._mapping["UUID"],
            "state": self._mapping["State"],
            "maxConcurrency": self.max_concurrency,
            "reservedConcurrency": self.reserved_concurrency,
            "batchSize": self._mapping.get("BatchSize"),
        }

    def bound(self, max_concurrency: int) -> Change:
        """How many invocations the queue may cause at once. Raises click.UsageError when it cannot be."""
        if not LEAST_MAX_CONCURRENCY <= max_concurrency <= MOST_MAX_CONCURRENCY:
            raise click.UsageError(
                f"--max-concurrency: {LEAST_MAX_CONCURRENCY} to {MOST_MAX_CONCURRENCY}, not {max_concurrency}; "
                "to stop altogether: --pause"
            )
        return Change(
            "maxConcurrency",
            self.max_concurrency,
            max_concurrency,
            lambda: self._client.update_event_source_mapping(
                UUID=self._mapping["UUID"], ScalingConfig={"MaximumConcurrency": max_concurrency}
            ),
        )

    def reserve(self, concurrency: int) -> Change:
        """Of the account's pool; 0 gives it back, and does not stop the function: that is `pause`."""
        if concurrency:
            return Change(
                "reservedConcurrency",
                self.reserved_concurrency,
                concurrency,
                lambda: self._client.put_function_concurrency(
                    FunctionName=self._function, ReservedConcurrentExecutions=concurrency
                ),
            )
        return Change(
            "reservedConcurrency",
            self.reserved_concurrency,
            None,
            lambda: self._client.delete_function_concurrency(FunctionName=self._function),
        )

    def pause(self, is_paused: bool) -> Change:
        """Stop to take from the queue, or go on. What is under way is finished; messages stay where they are."""
        return Change(
            "mapping",
            self._mapping["State"],
            "Disabled" if is_paused else "Enabled",
            lambda: self._client.update_event_source_mapping(UUID=self._mapping["UUID"], Enabled=not is_paused),
        )


class FleetLevers:
    """The service of the Fargate fleet and the bounds of its scaling."""

    def __init__(self, client: ECSClient, scaling: ApplicationAutoScalingClient, cluster: str, service: str) -> None:
        self._client = client
        self._scaling = scaling
        self._cluster = cluster
        self._service = service
        described = client.describe_services(cluster=cluster, services=[service])["services"]
        if not described:
            raise click.ClickException(f"there is no service {service} in the cluster {cluster}")
        self._described = described[0]

    @property
    def _resource_id(self) -> str:
        return f"service/{self._cluster}/{self._service}"

    def to_wire(self) -> dict[str, Any]:
        """What is set now."""
        low, high = self._bounds()
        return {
            "cluster": self._cluster,
            "service": self._service,
            "desiredTasks": self._described.get("desiredCount"),
            "runningTasks": self._described.get("runningCount"),
            "minTasks": low,
            "maxTasks": high,
        }

    def desire(self, tasks: int) -> Change:
        """So many tasks from now on, until scaling moves them again within its bounds."""
        return Change(
            "desiredTasks",
            self._described.get("desiredCount"),
            tasks,
            lambda: self._client.update_service(cluster=self._cluster, service=self._service, desiredCount=tasks),
        )

    def bound(self, low: int | None, high: int | None) -> Change:
        """Between how many tasks scaling may move. Raises click.UsageError when there is nothing between."""
        before = self._bounds()
        after = (before[0] if low is None else low, before[1] if high is None else high)
        if None not in after and after[0] > after[1]:  # type: ignore[operator]
            raise click.UsageError(f"--min-tasks {after[0]} is above --max-tasks {after[1]}")
        return Change(
            "tasks",
            list(before),
            list(after),
            lambda: self._scaling.register_scalable_target(
                ServiceNamespace="ecs",
                ResourceId=self._resource_id,
                ScalableDimension=TASKS,
                MinCapacity=after[0] or 0,
                MaxCapacity=after[1] or 0,
            ),
        )

    def _bounds(self) -> tuple[int | None, int | None]:
        try:
            targets = self._scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[self._resource_id])
        except ClientError:
            return None, None
        found = targets["ScalableTargets"]
        return (found[0]["MinCapacity"], found[0]["MaxCapacity"]) if found else (None, None)


def connect(name: str) -> Any:
    """A client of a service that only an operator needs."""
    session: Any = boto3.session.Session()
    return session.client(name)
