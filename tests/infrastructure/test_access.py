"""Who may do what with a deployment: the policies for producers and operators, and producers of other accounts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.policies import ACCOUNT, Call, is_allowed

from .conftest import Synth, of_type, only

OTHER = "222222222222"
STRANGER = "333333333333"
# What only a worker, an administrator or nobody does.
NOBODY = {
    "s3:DeleteObject", "s3:DeleteObjectVersion", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem",
    "sqs:PurgeQueue", "sqs:DeleteQueue", "lambda:UpdateFunctionCode", "secretsmanager:GetSecretValue",
}  # fmt: skip


def policies(template: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The statements of each managed policy, by its purpose."""
    return {
        name.removeprefix("Access")[:-8]: policy["PolicyDocument"]["Statement"]
        for name, policy in of_type(template, "AWS::IAM::ManagedPolicy").items()
    }


def actions(statements: list[dict[str, Any]]) -> set[str]:
    return {
        action
        for statement in statements
        for action in (statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])
    }


@pytest.mark.parametrize("compute", ["lambda", "fargate", "both"])
def test_each_policy_is_an_output_and_includes_no_more_than_its_purpose(synth: Synth, compute: str) -> None:
    template = synth(("stillframe:compute", compute))["Stillframe"]
    found = policies(template)
    # Given the policies of a deployment
    assert set(found) == {"Send", "Look", "Operate"}
    assert {f"{name}PolicyArn" for name in found} <= set(template["Outputs"])
    # Then whoever sends can read no image, whoever looks can change nothing, and nobody has an administrator's rights
    assert actions(found["Send"]) == {
        "cloudformation:DescribeStacks", "sqs:SendMessage", "dynamodb:UpdateItem", "dynamodb:GetItem",
    }  # fmt: skip
    changing = {each for each in actions(found["Look"]) if not each.partition(":")[2].startswith(READING)}
    assert changing == set()
    assert actions(found["Operate"]) & NOBODY == set()
    # But `doctor` asks whether objects may be written, at a key that no image has
    writing = [each for each in found["Operate"] if "s3:PutObject" in actions([each])]
    assert [json.dumps(each["Resource"]).count("/screenshots/.check") for each in writing] == [1]
    assert actions(found["Operate"]) >= actions(found["Send"]) | actions(found["Look"])
    # And no action is a pattern, and only actions that know no resource are allowed on all
    assert [each for statements in found.values() for each in actions(statements) if "*" in each] == []
    for statements in found.values():
        for statement in statements:
            if statement["Resource"] == "*":
                assert actions([statement]) <= WITHOUT_RESOURCE or "Condition" in statement


READING = ("Get", "List", "Describe", "Query", "Scan", "BatchGet")
# "Service Authorization Reference": actions without resource types.
WITHOUT_RESOURCE = {
    "cloudwatch:GetMetricData", "lambda:ListEventSourceMappings", "application-autoscaling:DescribeScalableTargets",
    "cloudwatch:DescribeAlarms", "lambda:GetAccountSettings",
}  # fmt: skip


def test_an_operator_scales_what_there_is(synth: Synth) -> None:
    function = actions(policies(synth()["Stillframe"])["Operate"])
    fleet = actions(policies(synth(("stillframe:compute", "fargate"))["Stillframe"])["Operate"])
    assert "lambda:UpdateEventSourceMapping" in function - fleet
    assert "ecs:UpdateService" in fleet - function


def test_an_operator_changes_the_event_source_of_this_function_alone(synth: Synth) -> None:
    template = synth()["Stillframe"]
    (mapping,) = of_type(template, "AWS::Lambda::EventSourceMapping")
    (statement,) = [each for each in policies(template)["Operate"] if each.get("Sid") == "ScaleEventSource"]
    assert f'"Ref": "{mapping}"' in json.dumps(statement["Resource"])


def test_producers_of_named_accounts_may_send_and_others_may_not(synth: Synth) -> None:
    # Given a queue for one more account
    template = synth(("stillframe:producerAccounts", OTHER))["Stillframe-Storage"]
    documents = [
        policy["PolicyDocument"]
        for policy in of_type(template, "AWS::SQS::QueuePolicy").values()
        if "CaptureQueue" in json.dumps(policy["Queues"])
    ]
    (document,) = [json.loads(json.dumps(each).replace(ARN_OF_OTHER, f'"{OTHER}"')) for each in documents]
    tls = {"aws:SecureTransport": "true"}
    # Then its principals may send with TLS, and do nothing else
    assert is_allowed(document, Call(OTHER, "sqs:SendMessage", tls))
    assert not is_allowed(document, Call(OTHER, "sqs:SendMessage", {"aws:SecureTransport": "false"}))
    assert not is_allowed(document, Call(OTHER, "sqs:ReceiveMessage", tls))
    assert not is_allowed(document, Call(STRANGER, "sqs:SendMessage", tls))
    # And without the setting nobody of another account may
    plain = json.dumps(of_type(synth()["Stillframe-Storage"], "AWS::SQS::QueuePolicy"))
    assert "Allow" not in plain


ARN_OF_OTHER = json.dumps({"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":iam::{OTHER}:root"]]})


def test_every_role_has_the_boundary_of_the_organisation(synth: Synth) -> None:
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    templates = synth(("stillframe:compute", "both"), ("stillframe:permissionsBoundary", boundary))
    roles = [role for template in templates.values() for role in of_type(template, "AWS::IAM::Role").values()]
    assert len(roles) >= 3
    assert {role["PermissionsBoundary"] for role in roles} == {boundary}
    assert "PermissionsBoundary" not in only(synth()["Stillframe"], "AWS::IAM::Role")
