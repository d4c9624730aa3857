"""The template of the fleet: scaling policies, permissions, network."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stillframe_cli.capacity import scaling

from .conftest import Synth, of_type, only

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fleet(synth: Synth) -> dict[str, Any]:
    return synth(("stillframe:compute", "fargate"))["Stillframe"]


def policies(template: dict[str, Any]) -> list[dict[str, Any]]:
    return list(of_type(template, "AWS::ApplicationAutoScaling::ScalingPolicy").values())


def test_the_fleet_has_three_to_twenty_tasks(fleet: dict[str, Any]) -> None:
    target = only(fleet, "AWS::ApplicationAutoScaling::ScalableTarget")
    assert (target["MinCapacity"], target["MaxCapacity"], target["ScalableDimension"]) == (
        3, 20, "ecs:service:DesiredCount",
    )  # fmt: skip


def test_it_tracks_cpu_memory_and_the_backlog_per_task(fleet: dict[str, Any]) -> None:
    # Given / When the target-tracking policies
    tracking = [
        each["TargetTrackingScalingPolicyConfiguration"]
        for each in policies(fleet)
        if each["PolicyType"] == "TargetTrackingScaling"
    ]
    # Then each has the cooldowns and its target value
    assert {(each["ScaleOutCooldown"], each["ScaleInCooldown"]) for each in tracking} == {(60, 300)}
    predefined = {
        each["PredefinedMetricSpecification"]["PredefinedMetricType"]: each["TargetValue"]
        for each in tracking
        if "PredefinedMetricSpecification" in each
    }
    assert predefined == {"ECSServiceAverageCPUUtilization": 60, "ECSServiceAverageMemoryUtilization": 80}
    (backlog,) = [each for each in tracking if "CustomizedMetricSpecification" in each]
    metrics = {each["Id"]: each for each in backlog["CustomizedMetricSpecification"]["Metrics"]}
    assert backlog["TargetValue"] == 100
    assert metrics["backlog"]["Expression"] == "waiting / running"
    assert metrics["waiting"]["MetricStat"]["Metric"]["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert metrics["running"]["MetricStat"]["Metric"]["MetricName"] == "RunningTaskCount"


@pytest.mark.parametrize(("waiting", "running"), [(0, 3), (50, 1), (301, 3), (5000, 20), (0, 0), (7, 0)])
def test_the_simulated_fleet_follows_the_expression_of_the_template(
    fleet: dict[str, Any], waiting: int, running: int
) -> None:
    # Given the expression that the deployed fleet tracks, in which a division by zero gives no value
    (backlog,) = [
        each["TargetTrackingScalingPolicyConfiguration"]
        for each in policies(fleet)
        if "CustomizedMetricSpecification" in each.get("TargetTrackingScalingPolicyConfiguration", {})
    ]
    (expression,) = [
        each["Expression"]
        for each in backlog["CustomizedMetricSpecification"]["Metrics"]
        if each["ReturnData"] and "Expression" in each
    ]
    try:
        deployed = eval(expression, {}, {"waiting": waiting, "running": running})
    except ZeroDivisionError:
        deployed = None
    # When the simulation of `stillframe plan` works out the same, then it gets the same value, and has the same target
    assert scaling.backlog_per_task(waiting, running) == deployed
    assert backlog["TargetValue"] == scaling.BACKLOG_PER_VCPU
    assert backlog["ScaleOutCooldown"] == scaling.OUT_COOLDOWN
    assert backlog["ScaleInCooldown"] == scaling.IN_COOLDOWN


@pytest.mark.parametrize(
    ("context", "target"),
    [
        ((), 100),
        ((("stillframe:taskCpu", "2048"), ("stillframe:taskMemoryMb", "4096")), 200),
        ((("stillframe:backlogPerTask", "30"),), 30),
    ],
)
def test_the_backlog_per_task_follows_from_its_cpu(synth: Synth, context: Any, target: int) -> None:
    template = synth(("compute", "fargate"), *context)["Stillframe"]
    targets = [
        each["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]
        for each in policies(template)
        if "CustomizedMetricSpecification" in each.get("TargetTrackingScalingPolicyConfiguration", {})
    ]
    assert targets == [target]


def test_when_tasks_are_added_and_removed_is_configured(synth: Synth) -> None:
    # Given / When a fleet that scales earlier, and more slowly
    values = {"cpuPercent": 40, "memoryPercent": 70, "stepCpuPercent": 75, "scaleOutSeconds": 30, "scaleInSeconds": 900}
    context = [(f"stillframe:{name}", str(value)) for name, value in values.items()]
    template = synth(("compute", "fargate"), *context)["Stillframe"]
    # Then its policies say so
    tracking = [
        each["TargetTrackingScalingPolicyConfiguration"]
        for each in policies(template)
        if each["PolicyType"] == "TargetTrackingScaling"
    ]
    targets = {
        each["PredefinedMetricSpecification"]["PredefinedMetricType"]: each["TargetValue"]
        for each in tracking
        if "PredefinedMetricSpecification" in each
    }
    assert targets == {"ECSServiceAverageCPUUtilization": 40, "ECSServiceAverageMemoryUtilization": 70}
    assert {(each["ScaleOutCooldown"], each["ScaleInCooldown"]) for each in tracking} == {(30, 900)}
    alarms = of_type(template, "AWS::CloudWatch::Alarm").values()
    assert [each["Threshold"] for each in alarms if each.get("MetricName") == "CPUUtilization"] == [75]


def test_a_fleet_without_a_running_task_would_never_wake() -> None:
    # Given a fleet that may scale to zero, which a deployment refuses
    scaler = scaling.FleetScaler(0, 20)
    # When messages wait for an hour
    workers = [scaler.step(scaling.Observation(second, 10_000.0, 0.0)) for second in range(3600)]
    # Then no task ever starts: the policy divides by the tasks that run
    assert set(workers) == {0}


def test_it_scales_in_steps_when_the_cpu_is_nearly_saturated(fleet: dict[str, Any]) -> None:
    (step,) = [each for each in policies(fleet) if each["PolicyType"] == "StepScaling"]
    adjustments = step["StepScalingPolicyConfiguration"]["StepAdjustments"]
    assert [(each["MetricIntervalLowerBound"], each["ScalingAdjustment"]) for each in adjustments] == [
        (0, 50),
        (10, 100),
    ]
    alarms = of_type(fleet, "AWS::CloudWatch::Alarm").values()
    (alarm,) = [each for each in alarms if each.get("MetricName") == "CPUUtilization"]
    assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (85, 1)


def test_a_task_has_the_permissions_of_a_function_and_may_protect_itself(synth: Synth) -> None:
    def actions(template: dict[str, Any], sid: str) -> list[Any]:
        statements = [
            statement
            for policy in of_type(template, "AWS::IAM::Policy").values()
            for statement in policy["PolicyDocument"]["Statement"]
        ]
        return [statement["Action"] for statement in statements if statement.get("Sid") == sid]

    function, task = (synth(("stillframe:compute", compute))["Stillframe"] for compute in ("lambda", "fargate"))
    for sid in ("ReceiveRequests", "ClaimAndComplete", "StoreAndAdoptImages", "DeadLetterInvalidMessages"):
        assert actions(task, sid) == actions(function, sid) != []
    assert actions(task, "ProtectTaskWhileRendering") == [["ecs:UpdateTaskProtection", "ecs:GetTaskProtection"]]


def test_a_task_drains_before_it_is_stopped_and_writes_only_to_tmp(fleet: dict[str, Any]) -> None:
    (container,) = only(fleet, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    grace = int(container["Command"][container["Command"].index("--grace") + 1])
    deadline = float(
        {each["Name"]: each["Value"] for each in container["Environment"]}["STILLFRAME_JOB_DEADLINE_SECONDS"]
    )
    assert deadline < grace < container["StopTimeout"] <= 120
    assert container["ReadonlyRootFilesystem"] is True
    assert [each["ContainerPath"] for each in container["MountPoints"]] == ["/tmp"]


def test_a_task_that_cannot_work_is_replaced_but_not_for_a_short_outage(fleet: dict[str, Any]) -> None:
    (container,) = only(fleet, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    check = container["HealthCheck"]
    assert check["Command"] == ["CMD", "python3", "-m", "stillframe_cli.heartbeat"]
    # ECS, HealthCheck: interval 5 to 300 s, timeout 2 to 120 s, retries 1 to 10, start period up to 300 s.
    assert (check["Timeout"], check["StartPeriod"]) == (10, 60)
    assert check["Interval"] * check["Retries"] >= 300


def test_the_image_gives_the_volume_of_a_task_to_its_own_user(fleet: dict[str, Any]) -> None:
    # Given the path at which a task mounts its volume, and the stage of the Dockerfile that becomes the image
    (container,) = only(fleet, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    (mount,) = container["MountPoints"]
    path = mount["ContainerPath"]
    dockerfile = (ROOT / "lambda_src/renderer/Dockerfile").read_text()
    stage = dockerfile.partition(" AS runtime\n")[2].partition("\nFROM ")[0]
    # When Fargate looks for a volume that the image declares at this path
    before, declaration, _ = stage.partition(f'VOLUME ["{path}"]')
    # Then there is one, and its directory is the user's before the declaration: later changes would be discarded
    assert declaration
    (user,) = re.findall(r"^USER (\S+)$", stage, re.MULTILINE)
    assert f"chown {user} {path} && chmod 1777 {path}" in before


def test_compose_mounts_the_volume_of_a_consumer_as_fargate_does(fleet: dict[str, Any]) -> None:
    (container,) = only(fleet, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    consumer = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["consumer"]
    assert consumer["volumes"] == [each["ContainerPath"] for each in container["MountPoints"]]
    assert "tmpfs" not in consumer


def test_compose_limits_a_consumer_as_fargate_does(fleet: dict[str, Any]) -> None:
    task = only(fleet, "AWS::ECS::TaskDefinition")
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    consumer = services["consumer"]
    assert (str(consumer["cpus"] * 1024), consumer["mem_limit"]) == (task["Cpu"], f"{task['Memory']}m")
    # And no container of it has capabilities, a file system to write to, or more processes than Lambda allows
    limits = [(each["read_only"], each["cap_drop"], each["pids_limit"]) for each in services.values()]
    assert limits == [(True, ["ALL"], 1024)] * len(services)


def test_its_network_accepts_no_inbound_traffic(fleet: dict[str, Any]) -> None:
    group = only(fleet, "AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group
    assert of_type(fleet, "AWS::EC2::SecurityGroupIngress") == {}


@pytest.mark.parametrize("compute", ["fargate", "both"])
def test_the_service_is_deleted_before_its_capacity_and_its_routes(synth: Synth, compute: str) -> None:
    # Given what a running task needs: a capacity provider, its permissions, and the routes out of its network
    resources = synth(("stillframe:compute", compute))["Stillframe"]["Resources"]
    needed = {
        name
        for name, each in resources.items()
        if each["Type"]
        in (
            "AWS::ECS::ClusterCapacityProviderAssociations",
            "AWS::EC2::Route",
            "AWS::EC2::SubnetRouteTableAssociation",
        )
        or (each["Type"] == "AWS::IAM::Policy" and "TaskRole" in name)
    }
    assert len(needed) == 6
    # When CloudFormation deletes the fleet, then the service goes first: it depends on each of them
    (service,) = [each for each in resources.values() if each["Type"] == "AWS::ECS::Service"]
    assert needed - set(service["DependsOn"]) == set()


def test_a_spot_fleet_keeps_one_task_that_cannot_be_interrupted(synth: Synth) -> None:
    service = only(
        synth(("stillframe:compute", "fargate"), ("stillframe:spot", "true"))["Stillframe"], "AWS::ECS::Service"
    )
    strategy = {each["CapacityProvider"]: each for each in service["CapacityProviderStrategy"]}
    assert (strategy["FARGATE"]["Base"], strategy["FARGATE"]["Weight"], strategy["FARGATE_SPOT"]["Weight"]) == (1, 0, 1)


@pytest.mark.parametrize(("compute", "functions", "services"), [("lambda", 1, 0), ("fargate", 0, 1), ("both", 1, 1)])
def test_each_compute_mode_creates_what_it_names(synth: Synth, compute: str, functions: int, services: int) -> None:
    # With the prefix and without it.
    for key in ("stillframe:compute", "compute"):
        template = synth((key, compute))["Stillframe"]
        found = (of_type(template, "AWS::Lambda::Function"), of_type(template, "AWS::ECS::Service"))
        assert tuple(map(len, found)) == (functions, services)


def test_provisioned_pollers_replace_the_maximum_concurrency(synth: Synth) -> None:
    context = {"minPollers": 4, "maxPollers": 100, "reservedConcurrency": 1000}
    mapping = only(
        synth(*((f"stillframe:{name}", value) for name, value in context.items()))["Stillframe"],
        "AWS::Lambda::EventSourceMapping",
    )
    assert mapping["ProvisionedPollerConfig"] == {"MinimumPollers": 4, "MaximumPollers": 100}
    assert "ScalingConfig" not in mapping
