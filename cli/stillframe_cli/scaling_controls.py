"""What an operator can change about a running deployment: concurrency, number of tasks, pause and resume."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
import click
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_lambda import LambdaClient

# Limits of the maximum concurrency of an SQS event source (AWS Lambda, "Configuring maximum concurrency").
MIN_MAX_CONCURRENCY = 2
MAX_MAX_CONCURRENCY = 1000
TASKS: Final = "ecs:service:DesiredCount"


@dataclass(frozen=True, slots=True)
class Change:
    """A proposed change of one setting. Nothing changes before `apply` is called."""

    name: str
    before: Any
    after: Any
    apply: Callable[[], Any]

    def to_wire(self) -> dict[str, Any]:
        return {"setting": self.name, "before": self.before, "after": self.after}


class FunctionScaling:
    """The concurrency of the Lambda function and of its event source mapping."""

    def __init__(self, client: LambdaClient, function_name: str, mapping_id: str | None = None) -> None:
        """`mapping_id` is asked of the function unless given. With an alias, the function itself has none."""
        self._client = client
        self._function = function_name
        self._mapping: Any = (
            client.get_event_source_mapping(UUID=mapping_id) if mapping_id else self._only_mapping(function_name)
        )

    def _only_mapping(self, function_name: str) -> Any:
        mappings = self._client.list_event_source_mappings(FunctionName=function_name)["EventSourceMappings"]
        if not mappings:
            raise click.ClickException(f"The function {function_name} has no event source mapping.")
        return mappings[0]

    @property
    def max_concurrency(self) -> int | None:
        """Maximum concurrency of the mapping; None when the mapping has no maximum."""
        maximum: int | None = self._mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
        return maximum

    @property
    def reserved_concurrency(self) -> int | None:
        """Concurrency that is reserved for the function; None when it uses the account's unreserved concurrency."""
        try:
            return self._client.get_function_concurrency(FunctionName=self._function).get(
                "ReservedConcurrentExecutions"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            raise

    def to_wire(self) -> dict[str, Any]:
        """Return the present settings."""
        return {
            "function": self._function,
            "mapping": self._mapping["UUID"],
            "state": self._mapping["State"],
            "maxConcurrency": self.max_concurrency,
            "reservedConcurrency": self.reserved_concurrency,
            "batchSize": self._mapping.get("BatchSize"),
        }

    def propose_max_concurrency(self, max_concurrency: int) -> Change:
        """Limit how many invocations the queue may cause at once. Raises click.UsageError when Lambda refuses it."""
        if not MIN_MAX_CONCURRENCY <= max_concurrency <= MAX_MAX_CONCURRENCY:
            raise click.UsageError(
                f"--max-concurrency {max_concurrency}: Lambda takes {MIN_MAX_CONCURRENCY} to {MAX_MAX_CONCURRENCY}. "
                "To stop all captures, use --pause."
            )
        return Change(
            "maxConcurrency",
            self.max_concurrency,
            max_concurrency,
            lambda: self._client.update_event_source_mapping(
                UUID=self._mapping["UUID"], ScalingConfig={"MaximumConcurrency": max_concurrency}
            ),
        )

    def propose_reserved_concurrency(self, concurrency: int) -> Change:
        """Reserve concurrency for the function; 0 ends the reservation, and does not stop the function."""
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

    def propose_paused(self, is_paused: bool) -> Change:
        """Stop or resume receiving. Running captures finish; messages stay on the queue."""
        return Change(
            "mapping",
            self._mapping["State"],
            "Disabled" if is_paused else "Enabled",
            lambda: self._client.update_event_source_mapping(UUID=self._mapping["UUID"], Enabled=not is_paused),
        )

    def propose_reset(self, deployed: Mapping[str, str]) -> Iterator[Change]:
        """What the stack was deployed with, by its outputs. Raises click.UsageError when it does not say."""
        if "MaxConcurrency" in deployed:
            yield self.propose_max_concurrency(int(deployed["MaxConcurrency"]))
        yield self.propose_reserved_concurrency(_deployed_number(deployed, "ReservedConcurrency"))
        yield self.propose_paused(False)


class FleetScaling:
    """The number of tasks of the Fargate service, and the bounds that its scaling keeps."""

    def __init__(self, client: ECSClient, scaling: ApplicationAutoScalingClient, cluster: str, service: str) -> None:
        self._client = client
        self._scaling = scaling
        self._cluster = cluster
        self._service = service
        services = client.describe_services(cluster=cluster, services=[service])["services"]
        if not services:
            raise click.ClickException(f"The cluster {cluster} has no service {service}.")
        self._description = services[0]

    @property
    def _resource_id(self) -> str:
        return f"service/{self._cluster}/{self._service}"

    def to_wire(self) -> dict[str, Any]:
        """Return the present settings."""
        min_tasks, max_tasks = self._read_bounds()
        return {
            "cluster": self._cluster,
            "service": self._service,
            "desiredTasks": self._description.get("desiredCount"),
            "runningTasks": self._description.get("runningCount"),
            "minTasks": min_tasks,
            "maxTasks": max_tasks,
        }

    def propose_tasks(self, tasks: int) -> Change:
        """Set the number of tasks now; scaling may change it again within its bounds."""
        return Change(
            "desiredTasks",
            self._description.get("desiredCount"),
            tasks,
            lambda: self._client.update_service(cluster=self._cluster, service=self._service, desiredCount=tasks),
        )

    def propose_bounds(self, min_tasks: int | None, max_tasks: int | None) -> Change:
        """Set the bounds of scaling; None keeps one as it is. Raises click.UsageError when minimum > maximum."""
        before = self._read_bounds()
        after = (before[0] if min_tasks is None else min_tasks, before[1] if max_tasks is None else max_tasks)
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

    def propose_reset(self, deployed: Mapping[str, str]) -> Iterator[Change]:
        """What the stack was deployed with, by its outputs. Raises click.UsageError when it does not say."""
        min_tasks, max_tasks = (_deployed_number(deployed, name) for name in ("MinTasks", "MaxTasks"))
        yield self.propose_bounds(min_tasks, max_tasks)
        desired = self._description.get("desiredCount") or 0
        yield self.propose_tasks(min(max(desired, min_tasks), max_tasks))

    def _read_bounds(self) -> tuple[int | None, int | None]:
        try:
            targets = self._scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[self._resource_id])
        except ClientError:
            return None, None
        found = targets["ScalableTargets"]
        return (found[0]["MinCapacity"], found[0]["MaxCapacity"]) if found else (None, None)


def _deployed_number(deployed: Mapping[str, str], output: str) -> int:
    if output not in deployed:
        raise click.UsageError(f"--reset: the outputs of the stack do not include {output}. Deploy it again once.")
    return int(deployed[output])


def connect(service: str) -> Any:
    """Create a client for an AWS service that only operators use."""
    session: Any = boto3.session.Session()
    return session.client(service)
