"""How a new version takes over."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Synth, of_type, only


@pytest.fixture
def canary(synth: Synth) -> dict[str, Any]:
    return synth(("stillframe:compute", "both"), ("stillframe:rollout", "canary"))["Stillframe"]


def alarms_in(value: object, template: dict[str, Any]) -> set[str]:
    """The alarms that something refers to, by their names in the construct."""
    text = json.dumps(value)
    return {name[6:-8] for name in of_type(template, "AWS::CloudWatch::Alarm") if f'"{name}"' in text}


def test_the_queue_is_received_by_the_version_that_a_deployment_has_chosen(canary: dict[str, Any]) -> None:
    # Given an alias of the function's version
    (alias,) = of_type(canary, "AWS::Lambda::Alias")
    assert only(canary, "AWS::Lambda::Alias")["Name"] == "live"
    # Then the mapping invokes that, and its traffic is moved by CodeDeploy: a tenth first
    target = json.dumps(only(canary, "AWS::Lambda::EventSourceMapping")["FunctionName"])
    assert f'"Ref": "{alias}"' in target
    assert '":live"' in target
    assert "CodeDeployLambdaAliasUpdate" in canary["Resources"][alias]["UpdatePolicy"]
    group = only(canary, "AWS::CodeDeploy::DeploymentGroup")
    assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent10Minutes"


def test_a_version_whose_workers_fail_is_taken_back(canary: dict[str, Any]) -> None:
    group = only(canary, "AWS::CodeDeploy::DeploymentGroup")
    assert group["AutoRollbackConfiguration"]["Enabled"] is True
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    expected = {"ServiceErrors", "WorkerUnhealthy", "FunctionErrors"}
    assert alarms_in(group["AlarmConfiguration"], canary) == expected
    # And so is a version of the fleet
    configured = only(canary, "AWS::ECS::Service")["DeploymentConfiguration"]["Alarms"]
    assert (configured["Enable"], configured["Rollback"]) == (True, True)
    assert alarms_in(configured["AlarmNames"], canary) == expected - {"FunctionErrors"}


def test_pages_that_fail_are_no_reason_to_go_back(canary: dict[str, Any]) -> None:
    assert "FailedCaptures" not in alarms_in(only(canary, "AWS::CodeDeploy::DeploymentGroup"), canary)


def test_by_default_a_new_version_takes_over_at_once(synth: Synth) -> None:
    template = synth(("stillframe:compute", "both"))["Stillframe"]
    assert of_type(template, "AWS::CodeDeploy::DeploymentGroup") == of_type(template, "AWS::Lambda::Alias") == {}
    (function,) = of_type(template, "AWS::Lambda::Function")
    assert only(template, "AWS::Lambda::EventSourceMapping")["FunctionName"] == {"Ref": function}
    assert only(template, "AWS::ECS::Service")["DeploymentConfiguration"]["Alarms"]["Enable"] is False


@pytest.mark.parametrize("rollout", ["all-at-once", "canary"])
def test_the_command_line_finds_the_event_source_of_either(synth: Synth, rollout: str) -> None:
    template = synth(("stillframe:rollout", rollout))["Stillframe"]
    (mapping,) = of_type(template, "AWS::Lambda::EventSourceMapping")
    assert template["Outputs"]["EventSourceMapping"]["Value"] == {"Ref": mapping}
