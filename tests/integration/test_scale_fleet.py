"""`stillframe scale` for a fleet, on moto, because MiniStack has no Application Auto Scaling."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from stillframe_cli.commands.scale import command
from tests.support.workers import stillframe

CLUSTER, SERVICE = "stillframe", "consumers"
Scale = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def scale(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Scale:
    """Runs the command on a service with three tasks that may scale to twenty."""
    exports = {
        "AWS_ENDPOINT_URL": moto_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in exports.items():
        monkeypatch.setenv(name, value)
    aws: Any = boto3
    ecs, scaling = aws.client("ecs"), aws.client("application-autoscaling")
    ecs.create_cluster(clusterName=CLUSTER)
    ecs.register_task_definition(
        family="consumer",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="1024",
        memory="2048",
        containerDefinitions=[{"name": "consumer", "image": "stillframe"}],
    )
    ecs.create_service(cluster=CLUSTER, serviceName=SERVICE, taskDefinition="consumer", desiredCount=3)
    scaling.register_scalable_target(
        ServiceNamespace="ecs",
        ResourceId=f"service/{CLUSTER}/{SERVICE}",
        ScalableDimension="ecs:service:DesiredCount",
        MinCapacity=3,
        MaxCapacity=20,
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return stillframe(exports, "scale", "--cluster", CLUSTER, "--service", SERVICE, *arguments)

    return run


def test_scale_shows_previews_and_changes_the_tasks_of_a_fleet(scale: Scale) -> None:
    def shown() -> dict[str, Any]:
        run = scale("--json")
        assert run.returncode == 0, run.stderr
        settings: dict[str, Any] = json.loads(run.stdout)
        return settings

    # Given three tasks, with a maximum of twenty
    assert (shown()["desiredTasks"], shown()["minTasks"], shown()["maxTasks"]) == (3, 3, 20)
    # When it is a dry run, then nothing changes
    dry = json.loads(scale("--tasks", "12", "--dry-run", "--json").stdout)
    assert dry == {"changed": False, "changes": [{"setting": "desiredTasks", "before": 3, "after": 12}]}
    assert shown()["desiredTasks"] == 3
    # When the number and its limits are set, then they change
    assert scale("--tasks", "12", "--min-tasks", "10", "--max-tasks", "60", "--yes").returncode == 0
    assert (shown()["desiredTasks"], shown()["minTasks"], shown()["maxTasks"]) == (12, 10, 60)
    # And contradictory limits are refused, and so is pausing, which needs a function
    refused = scale("--min-tasks", "70", "--yes")
    assert (refused.returncode, "--min-tasks 70 is above --max-tasks 60" in refused.stderr) == (2, True)
    paused = scale("--pause", "--yes")
    assert (paused.returncode, "has no function" in paused.stderr) == (2, True)


Reset = Callable[..., Result]


@pytest.fixture
def reset(scale: Scale, monkeypatch: pytest.MonkeyPatch) -> Reset:
    """Runs `scale --reset` on a stack with these outputs beside its names; moto creates no stacks."""
    names = {"ClusterName": CLUSTER, "ServiceName": SERVICE}

    def run(**outputs: str) -> Result:
        monkeypatch.setattr("stillframe_cli.commands.scale.stack_outputs", lambda stack: names | outputs)
        return CliRunner().invoke(command, ["--reset", "--yes"])

    return run


def test_scale_reset_goes_back_to_the_deployed_number_of_tasks(scale: Scale, reset: Reset) -> None:
    # Given a fleet that was emptied since its deployment
    assert scale("--tasks", "0", "--min-tasks", "0", "--max-tasks", "60", "--yes").returncode == 0
    # When it is reset to what the outputs of its stack say
    run = reset(MinTasks="4", MaxTasks="30")
    assert run.exit_code == 0, run.output
    # Then its bounds are the deployed ones, and it has the tasks that the lower bound demands
    settings = json.loads(scale("--json").stdout)
    assert (settings["desiredTasks"], settings["minTasks"], settings["maxTasks"]) == (4, 4, 30)
    # And a second time, nothing is left to change
    assert "Everything is as it was deployed" in reset(MinTasks="4", MaxTasks="30").output


def test_a_stack_that_does_not_record_its_values_is_named(reset: Reset) -> None:
    run = reset()
    assert (run.exit_code, "do not include MinTasks" in run.output) == (2, True)
