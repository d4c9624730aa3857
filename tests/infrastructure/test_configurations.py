"""Every size, kind of compute and rollout, and pairs of all other settings: no finding of cdk-nag or cfn-lint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.linting import lint_findings

from .configurations import CONFIGURATIONS, IMPOSSIBLE, context
from .conftest import Synth, Templates, of_type, only

DAY = 24 * 3600
# "Task CPU and memory", and the parts of a consumer's time after SIGTERM.
MAX_STOP_SECONDS = 120


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_is_consistent_and_has_no_finding(synth: Synth, name: str) -> None:
    # Given / When a configuration is synthesised, which fails on any finding of cdk-nag
    templates = synth(*context(CONFIGURATIONS[name]))
    # Then cfn-lint has none either, in any region, and the settings hold together
    assert {stack: lint_findings(json.dumps(each)) for stack, each in templates.items()} == dict.fromkeys(templates, ())
    assert list(broken_relations(templates)) == []


def test_only_these_settings_are_refused_together() -> None:
    # Given all pairs of settings, then a deployment accepts each in some configuration, but these
    assert {tuple(sorted(name for _, name in pair)) for pair in IMPOSSIBLE} == {
        ("fargate", "reserved"),  # A task has no X-Ray daemon.
        ("anywhere", "kms"),  # A key belongs to a region.
    }


def test_cfn_lint_knows_what_a_region_does_not_have() -> None:
    # Given a resource that only some regions have, then the regions that do not have it are named
    template = json.dumps({"Resources": {"Service": {"Type": "AWS::AppRunner::Service"}}})
    assert "cn-north-1" in " ".join(lint_findings(template))


@pytest.mark.parametrize(
    ("stack", "resource", "name", "value"),
    [
        ("Stillframe", "AWS::Lambda::Function", "Timeout", 50),
        ("Stillframe", "AWS::Lambda::Function", "Timeout", 61),
        ("Stillframe", "AWS::Lambda::Function", "ReservedConcurrentExecutions", 1),
        ("Stillframe-Storage", "AWS::SQS::Queue", "MessageRetentionPeriod", 14 * DAY),
        ("Stillframe-Storage", "AWS::SQS::Queue", "VisibilityTimeout", 359),
    ],
)
def test_a_relation_that_does_not_hold_is_noticed(
    synth: Synth, stack: str, resource: str, name: str, value: int
) -> None:
    # Given templates of which one value is changed
    templates = json.loads(json.dumps(synth()))
    for properties in of_type(templates[stack], resource).values():
        properties[name] = value
    # Then at least one relation is broken
    assert list(broken_relations(templates)) != []


def broken_relations(templates: Templates) -> Iterator[str]:
    """The relations between settings that the templates do not have: each deadline lies within the next one."""
    storage = next(each for name, each in templates.items() if name.endswith("-Storage"))
    render = next(each for name, each in templates.items() if not name.endswith("-Storage"))
    queues = of_type(storage, "AWS::SQS::Queue").values()
    queue = next(each for each in queues if "RedrivePolicy" in each)
    dead = next(each for each in queues if "RedrivePolicy" not in each)
    receives = queue["RedrivePolicy"]["maxReceiveCount"]
    if receives < 5:
        yield "maxReceiveCount >= 5"
    if dead["MessageRetentionPeriod"] <= queue["MessageRetentionPeriod"]:
        yield "dead-letter retention > queue retention"
    for variables in worker_variables(render):
        records = int(variables["STILLFRAME_RECORD_RETENTION_DAYS"])
        if records * DAY <= dead["MessageRetentionPeriod"]:
            yield "record retention > dead-letter retention"
        (rule,) = only(storage, "AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
        if rule["ExpirationInDays"] < records:
            yield "object retention >= record retention"
        if int(variables["STILLFRAME_MAX_RECEIVE_COUNT"]) != receives:
            yield "workers know maxReceiveCount"
        if float(variables["STILLFRAME_JOB_DEADLINE_SECONDS"]) >= queue["VisibilityTimeout"]:
            yield "job deadline < visibility timeout"
    if image_functions(render):
        yield from broken_relations_of_a_function(render, queue)
    for task in of_type(render, "AWS::ECS::TaskDefinition").values():
        (container,) = task["ContainerDefinitions"]
        grace = int(container["Command"][container["Command"].index("--grace") + 1])
        if not grace < container["StopTimeout"] <= MAX_STOP_SECONDS:
            yield "grace < stop timeout <= 120 s"


def broken_relations_of_a_function(render: dict[str, Any], queue: dict[str, Any]) -> Iterator[str]:
    (function,) = image_functions(render)
    # Notifier and webhooks have mappings of their own.
    mappings = of_type(render, "AWS::Lambda::EventSourceMapping").items()
    (mapping,) = [each for name, each in mappings if name.startswith("Renderer")]
    timeout, window = function["Timeout"], mapping["MaximumBatchingWindowInSeconds"]
    if float(function["Environment"]["Variables"]["STILLFRAME_JOB_DEADLINE_SECONDS"]) >= timeout:
        yield "job deadline < function timeout"
    if queue["VisibilityTimeout"] < 6 * timeout + window:
        yield "visibility timeout >= 6 x function timeout + window"
    if mapping["FunctionResponseTypes"] != ["ReportBatchItemFailures"]:
        yield "a message fails alone"
    if ("ScalingConfig" in mapping) == ("ProvisionedPollerConfig" in mapping):
        yield "a mapping has a maximum concurrency or pollers"
    scaling, pollers = mapping.get("ScalingConfig", {}), mapping.get("ProvisionedPollerConfig", {})
    maximum = scaling.get("MaximumConcurrency", 0) or pollers.get("MaximumPollers", 0) * 10
    if maximum > function.get("ReservedConcurrentExecutions", maximum):
        yield "maximum concurrency <= reserved concurrency"


def worker_variables(render: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The environment variables of the function and of the container."""
    for function in image_functions(render):
        yield function["Environment"]["Variables"]
    for task in of_type(render, "AWS::ECS::TaskDefinition").values():
        for container in task["ContainerDefinitions"]:
            yield {each["Name"]: each["Value"] for each in container["Environment"]}


def image_functions(render: dict[str, Any]) -> list[dict[str, Any]]:
    """The functions that capture. That of the API is a zip."""
    return [each for each in of_type(render, "AWS::Lambda::Function").values() if each.get("PackageType") == "Image"]
