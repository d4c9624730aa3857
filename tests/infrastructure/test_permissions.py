"""Every AWS call of workers, producers, readers and operators is allowed, and nothing is allowed that no call uses.

The report is printed (`pytest -rP`) and written to build/permissions.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.deployment import Deployment, deployment
from tests.support.permission_report import PermissionReport
from tests.support.recorded_calls import RecordedCall
from tests.support.template_references import References
from tests.support.users import (
    CONSUMER,
    EVENT_SOURCE,
    call_webhooks,
    notify,
    operate,
    read,
    send,
    tell_of_days,
    use_api,
    work,
)

from .conftest import Synth, Templates, of_type

OUT = Path(__file__).parents[2] / "build/permissions.json"
PLATFORM_LOGS = "Lambda and ECS write the log of a worker, which only writes to its standard streams."
TRACES = "Lambda itself sends the traces of a function with `tracing`."
INTERFACES = "Lambda itself attaches a function to the owner's network (`vpcId`)."
AGENT = "The ECS agent calls it, which a consumer asks over HTTP: no call of an SDK. AWS documents both as needed."
PULL = "ECS pulls the image before the task runs."
SCHEDULES = "EventBridge Scheduler itself sends the requests of watches."
WATCHES = "`watch` calls it in an account only: tests/infrastructure/test_watches.py makes each of these calls."
LINKS = "Whoever follows a presigned link reads the object with the permission of the function that signed it."
# What is allowed although no recorded call uses it, and why.
REASONS: dict[str, dict[str, str]] = {
    "function": {
        "logs:CreateLogStream": PLATFORM_LOGS,
        "logs:PutLogEvents": PLATFORM_LOGS,
        "xray:PutTraceSegments": TRACES,
        "xray:PutTelemetryRecords": TRACES,
        "ec2:AssignPrivateIpAddresses": INTERFACES,
        "ec2:CreateNetworkInterface": INTERFACES,
        "ec2:DeleteNetworkInterface": INTERFACES,
        "ec2:DescribeNetworkInterfaces": INTERFACES,
        "ec2:DescribeSubnets": INTERFACES,
        "ec2:UnassignPrivateIpAddresses": INTERFACES,
    },
    "api": {
        "logs:CreateLogStream": PLATFORM_LOGS,
        "logs:PutLogEvents": PLATFORM_LOGS,
        "xray:PutTraceSegments": TRACES,
        "xray:PutTelemetryRecords": TRACES,
        "s3:GetObject": LINKS,
    },
    "notifier": {
        "logs:CreateLogStream": PLATFORM_LOGS,
        "logs:PutLogEvents": PLATFORM_LOGS,
        "xray:PutTraceSegments": TRACES,
        "xray:PutTelemetryRecords": TRACES,
    },
    "webhooks": {
        "logs:CreateLogStream": PLATFORM_LOGS,
        "logs:PutLogEvents": PLATFORM_LOGS,
        "xray:PutTraceSegments": TRACES,
        "xray:PutTelemetryRecords": TRACES,
    },
    "digests": {
        "logs:CreateLogStream": PLATFORM_LOGS,
        "logs:PutLogEvents": PLATFORM_LOGS,
        "xray:PutTraceSegments": TRACES,
        "xray:PutTelemetryRecords": TRACES,
    },
    "schedules": {"sqs:SendMessage": SCHEDULES},
    "Operate": {
        "scheduler:CreateSchedule": WATCHES,
        "scheduler:UpdateSchedule": WATCHES,
        "scheduler:DeleteSchedule": WATCHES,
        "scheduler:ListSchedules": WATCHES,
        "iam:PassRole": WATCHES,
    },
    "task": {
        "ecs:UpdateTaskProtection": AGENT,
        "ecs:GetTaskProtection": AGENT,
    },
    "start of a task": {
        "logs:CreateLogStream": PLATFORM_LOGS,
        "logs:PutLogEvents": PLATFORM_LOGS,
        "ecr:BatchCheckLayerAvailability": PULL,
        "ecr:BatchGetImage": PULL,
        "ecr:GetAuthorizationToken": PULL,
        "ecr:GetDownloadUrlForLayer": PULL,
    },
}
ROLES = {
    "function": "RendererRole",
    "api": "ApiRole",
    "notifier": "NotifierRole",
    "webhooks": "WebhooksRole",
    "digests": "DigestsRole",
    "schedules": "WatchingRole",
    "task": "FleetTaskTaskRole",
    "start of a task": "FleetTaskExecutionRole",
}


def synthesised(synth: Synth, given: Deployment) -> dict[str, list[dict[str, Any]]]:
    """The statements of each role and managed policy of a stack with everything that adds one."""
    templates = synth(
        ("stillframe:compute", "both"),
        ("stillframe:api", "on"),
        ("stillframe:events", "on"),
        ("stillframe:webhooks", "on"),
        ("stillframe:watches", "on"),
        ("stillframe:tracing", "true"),
        ("stillframe:secrets", f"{given.secret_arn}@http://{given.site}"),
        ("stillframe:vpcId", "vpc-0123456789abcdef0"),
        ("stillframe:subnetIds", "subnet-0aaa0aaa,subnet-0bbb0bbb"),
    )
    references = References(templates, given.account, given.names)
    return {name: references.resolve(statements) for name, statements in statements_of(templates).items()}


def statements_of(templates: Templates) -> dict[str, list[Any]]:
    """The statements by the role or the managed policy that they belong to. No role has any in another way."""
    template = templates["Stillframe"]
    found: dict[str, list[Any]] = {
        name.removeprefix("Access")[:-8]: policy["PolicyDocument"]["Statement"]
        for name, policy in of_type(template, "AWS::IAM::ManagedPolicy").items()
    }
    roles = of_type(template, "AWS::IAM::Role")
    assert [name for name, role in roles.items() if {"Policies", "ManagedPolicyArns"} & role.keys()] == []
    for name, role in ROLES.items():
        found[name] = [
            statement
            for policy in of_type(template, "AWS::IAM::Policy").values()
            for statement in policy["PolicyDocument"]["Statement"]
            if any(each["Ref"][:-8] == role for each in policy["Roles"])
        ]
    # And no other role, of which this test would know nothing
    assert {name[:-8] for name in roles} == set(ROLES.values())
    return found


def test_every_call_is_allowed_and_whatever_is_allowed_is_used_or_has_a_reason(
    synth: Synth, tmp_path: Path, site: str, chromium: str, moto_endpoint: str
) -> None:
    with deployment(tmp_path, site, moto_endpoint) as given:
        # Given the calls that each kind of worker and user makes
        calls: dict[str, Sequence[RecordedCall]] = {
            "function": work(given, "function", EVENT_SOURCE),
            "task": work(given, "task", CONSUMER),
            "start of a task": [],
            "schedules": [],
            "Send": send(given),
            "api": use_api(given),
            "notifier": notify(given),
            "digests": tell_of_days(given),
            "webhooks": call_webhooks(given),
            "Look": read(given),
        }
        calls["Operate"] = [*operate(given), *calls["Send"], *calls["Look"]]
        # When they are compared with the policies
        policies: Mapping[str, list[dict[str, Any]]] = synthesised(synth, given)
        assert set(policies) == set(calls)
        reports = [
            PermissionReport(name, policies[name], calls[name], given.account, REASONS.get(name, {})) for name in calls
        ]
    print(*reports, sep="\n")
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps([each.to_wire() for each in reports], indent=2) + "\n")
    # Then none is denied, and what no call uses has a reason, and no reason is out of date
    assert {each.policy: each.denied for each in reports if each.denied} == {}
    assert {each.policy: each.unexplained for each in reports if each.unexplained} == {}
    assert {each.policy: each.superfluous_reasons for each in reports if each.superfluous_reasons} == {}
