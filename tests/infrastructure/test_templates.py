"""The templates: consistent settings, logical ids that must not change, and no permission that is not used."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from stacks.presets import PRESETS
from stillframe.table.record import FORMER_INDEX_NAME, INDEX_NAME, TENANT_INDEX
from stillframe_cli import resources

from .conftest import Synth, only

# Policies that allow records to be listed: that of the API, and those of people who look and who operate.
READERS = 3


@pytest.fixture(params=list(PRESETS))
def templates(request: pytest.FixtureRequest, synth: Synth) -> dict[str, dict[str, Any]]:
    return synth(("stillframe:size", request.param))


def test_no_preset_reserves_concurrency_which_a_new_account_refuses(templates: dict[str, dict[str, Any]]) -> None:
    assert "ReservedConcurrentExecutions" not in only(templates["Stillframe"], "AWS::Lambda::Function")


def test_concurrency_is_reserved_on_request(synth: Synth) -> None:
    template = synth(("stillframe:maxConcurrency", 3), ("stillframe:reservedConcurrency", 5))["Stillframe"]
    assert only(template, "AWS::Lambda::Function")["ReservedConcurrentExecutions"] == 5


def test_the_logical_ids_of_stateful_resources_are_locked(templates: dict[str, dict[str, Any]]) -> None:
    # With another id CloudFormation would create a new, empty resource beside the retained one.
    resources = templates["Stillframe-Storage"]["Resources"]
    stateful = {name: resource for name, resource in resources.items() if not resource["Type"].endswith("Policy")}
    assert {name: resource["Type"] for name, resource in stateful.items()} == {
        "CaptureQueueCF8E686C": "AWS::SQS::Queue",
        "DeadLetterQueue9F481546": "AWS::SQS::Queue",
        "Records091F6ECA": "AWS::DynamoDB::GlobalTable",
        "Images2D38C313": "AWS::S3::Bucket",
    }
    for resource in stateful.values():
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_what_is_retained_keeps_the_policies_that_protect_it(templates: dict[str, dict[str, Any]]) -> None:
    # Given the policies of the queues and the bucket, which demand TLS
    resources = templates["Stillframe-Storage"]["Resources"].values()
    policies = [each for each in resources if each["Type"] in ("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy")]
    assert len(policies) == 3
    # When the stack is deleted, then they stay with what they protect
    assert {(each["DeletionPolicy"], each["UpdateReplacePolicy"]) for each in policies} == {("Retain", "Retain")}


def test_the_replaceable_stack_has_no_stateful_resource(templates: dict[str, dict[str, Any]]) -> None:
    types = {resource["Type"] for resource in templates["Stillframe"]["Resources"].values()}
    assert types & {"AWS::SQS::Queue", "AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table", "AWS::S3::Bucket"} == set()


def test_the_mapping_reports_item_failures_and_limits_its_concurrency(templates: dict[str, dict[str, Any]]) -> None:
    mapping = only(templates["Stillframe"], "AWS::Lambda::EventSourceMapping")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"]["MaximumConcurrency"] >= 2


def test_the_role_allows_exactly_what_the_function_does(templates: dict[str, dict[str, Any]]) -> None:
    statements = only(templates["Stillframe"], "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    allowed = {
        action
        for each in statements
        for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
    }
    assert allowed == {
        "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes",
        "sqs:SendMessage", "dynamodb:UpdateItem", "dynamodb:GetItem", "s3:PutObject", "s3:GetObject", "s3:ListBucket",
        "logs:CreateLogStream", "logs:PutLogEvents",
    }  # fmt: skip
    assert not [each for each in statements if each["Resource"] == "*"]
    assert "ManagedPolicyArns" not in only(templates["Stillframe"], "AWS::IAM::Role")


@pytest.mark.parametrize("per_host", [0, 4])
def test_a_function_that_sends_to_its_own_queue_is_not_stopped_as_a_recursive_loop(synth: Synth, per_host: int) -> None:
    # Given the queues that a function receives from, and those that it may send to
    template = synth(("stillframe:perHost", per_host))["Stillframe"]
    source = only(template, "AWS::Lambda::EventSourceMapping")["EventSourceArn"]
    statements = only(template, "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    sends_to = [each["Resource"] for each in statements if "sqs:SendMessage" in each["Action"]]
    # Then a function that may send to the queue it receives from may do so more often than 16 times in a row
    assert source in sends_to
    assert only(template, "AWS::Lambda::Function")["RecursiveLoop"] == "Allow"


def test_only_a_granted_secret_may_be_read(synth: Synth) -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:site-AbCdEf"
    template = synth(("stillframe:secrets", f"{arn}@a.example,{arn}@b.example"), ("stillframe:deny", "evil.example"))
    statements = only(template["Stillframe"], "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    (lookup,) = [each for each in statements if each["Action"] == "secretsmanager:GetSecretValue"]
    assert lookup["Resource"] == arn
    variables = only(template["Stillframe"], "AWS::Lambda::Function")["Environment"]["Variables"]
    assert variables["STILLFRAME_SECRETS"] == f"{arn}@a.example,{arn}@b.example"
    assert variables["STILLFRAME_DENY"] == "evil.example"
    assert "STILLFRAME_ALLOW_HOSTS" not in variables


def test_images_are_written_and_read_only_under_the_prefix(templates: dict[str, dict[str, Any]]) -> None:
    statements = only(templates["Stillframe"], "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    (images,) = [each for each in statements if "s3:PutObject" in each["Action"]]
    assert images["Resource"]["Fn::Join"][1][-1] == "/screenshots/*"


def test_each_deployment_of_an_upgrade_creates_or_deletes_one_index(synth: Synth) -> None:
    # Given the index of a deployment of version 0.1
    deployed = {FORMER_INDEX_NAME: "ALL"}
    keeping, without_tenants = ("stillframe:keepFormerIndex", "true"), ("stillframe:tenantIndex", "false")
    # When it is upgraded in the three deployments of the page on upgrades
    steps = (
        ((keeping, without_tenants), {INDEX_NAME}),
        ((keeping,), {TENANT_INDEX}),
        ((("stillframe:api", "on"),), {FORMER_INDEX_NAME}),
    )
    for context, change in steps:
        templates = synth(*context)
        table = only(templates["Stillframe-Storage"], "AWS::DynamoDB::GlobalTable")
        wanted = {each["IndexName"]: each["Projection"]["ProjectionType"] for each in table["GlobalSecondaryIndexes"]}
        # Then each deployment creates or deletes exactly one, as DynamoDB has it, and changes none in place
        assert deployed.keys() ^ wanted.keys() == change
        assert all(deployed[name] == wanted[name] for name in deployed.keys() & wanted.keys())
        # And whoever reads records may read each index that is there
        readers = {json.dumps(templates["Stillframe"]).count(f'/index/{name}"') for name in wanted}
        assert len(readers) == 1
        deployed = wanted
    assert readers == {READERS}


def test_the_table_has_its_sparse_indexes_and_time_to_live(templates: dict[str, dict[str, Any]]) -> None:
    table = only(templates["Stillframe-Storage"], "AWS::DynamoDB::GlobalTable")
    keys = {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in table["GlobalSecondaryIndexes"]
    }
    assert keys == {INDEX_NAME: ["indexShard", "updatedAt"], TENANT_INDEX: ["tenantShard", "updatedAt"]}
    # And a claim, which changes no key, writes nothing to the index of unfinished records
    projections = {each["IndexName"]: each["Projection"]["ProjectionType"] for each in table["GlobalSecondaryIndexes"]}
    assert projections == {INDEX_NAME: "KEYS_ONLY", TENANT_INDEX: "ALL"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_the_bucket_keeps_versions_and_blocks_public_access(templates: dict[str, dict[str, Any]]) -> None:
    bucket = only(templates["Stillframe-Storage"], "AWS::S3::Bucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == 365


def test_the_outputs_have_what_the_command_line_needs(templates: dict[str, dict[str, Any]]) -> None:
    assert {"QueueUrl", "DeadLetterQueueUrl", "TableName", "BucketName"} <= templates["Stillframe-Storage"][
        "Outputs"
    ].keys()


def test_the_command_line_finds_the_settings_of_the_workers(synth: Synth, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a deployment whose settings are not the defaults
    context = {"keyPrefix": "shots/a", "maxReceiveCount": 7, "recordRetentionDays": 120}
    templates = synth(*((f"stillframe:{name}", value) for name, value in context.items()))
    variables = only(templates["Stillframe"], "AWS::Lambda::Function")["Environment"]["Variables"]
    outputs = {name: str(each["Value"]) for name, each in templates["Stillframe-Storage"]["Outputs"].items()}
    # When a command finds it by the outputs of its stack
    for name in [name for name in os.environ if name in variables]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(resources, "stack_outputs", lambda stack: outputs)
    settings = resources.find_settings("Stillframe", {})
    # Then it has the settings of the workers
    assert settings.key_prefix == variables["STILLFRAME_KEY_PREFIX"] == "shots/a"
    assert settings.max_receive_count == int(variables["STILLFRAME_MAX_RECEIVE_COUNT"]) == 7
    assert settings.record_retention_days == int(variables["STILLFRAME_RECORD_RETENTION_DAYS"]) == 120


def test_the_outputs_have_the_values_that_an_operator_can_go_back_to(synth: Synth) -> None:
    # Given a deployment of function and fleet
    context = {"compute": "both", "maxConcurrency": 9, "reservedConcurrency": 11, "minTasks": 2, "maxTasks": 5}
    template = synth(*((f"stillframe:{name}", value) for name, value in context.items()))["Stillframe"]
    outputs = {name: each["Value"] for name, each in template["Outputs"].items()}
    # Then the outputs have what function, mapping and scaling have
    mapping, function = (only(template, f"AWS::Lambda::{kind}") for kind in ("EventSourceMapping", "Function"))
    target = only(template, "AWS::ApplicationAutoScaling::ScalableTarget")
    assert int(outputs["MaxConcurrency"]) == mapping["ScalingConfig"]["MaximumConcurrency"] == 9
    assert int(outputs["ReservedConcurrency"]) == function["ReservedConcurrentExecutions"] == 11
    assert int(outputs["MinTasks"]) == target["MinCapacity"] == 2
    assert int(outputs["MaxTasks"]) == target["MaxCapacity"] == 5


@pytest.mark.parametrize(("architecture", "name"), [("arm64", "arm64"), ("x86", "x86_64")])
def test_the_architecture_can_be_chosen(synth: Synth, architecture: str, name: str) -> None:
    function = only(synth(("stillframe:architecture", architecture))["Stillframe"], "AWS::Lambda::Function")
    assert function["Architectures"] == [name]
    assert function["PackageType"] == "Image"


def test_arm64_and_the_small_size_are_the_default(synth: Synth) -> None:
    function = only(synth()["Stillframe"], "AWS::Lambda::Function")
    assert (function["Architectures"], function["MemorySize"]) == (["arm64"], PRESETS["small"]["memoryMb"])


def test_a_single_value_overrides_the_preset(synth: Synth) -> None:
    templates = synth(
        ("stillframe:size", "large"), ("stillframe:memoryMb", "5000"), ("stillframe:alarmEmail", "a@b.example")
    )
    assert only(templates["Stillframe"], "AWS::Lambda::Function")["MemorySize"] == 5000
    assert only(templates["Stillframe"], "AWS::SNS::Subscription")["Endpoint"] == "a@b.example"


def test_cdk_nag_reports_a_careless_resource(tmp_path: Path) -> None:
    # Given the app with a queue that has no dead-letter queue
    from aws_cdk import aws_sqs as sqs

    from stacks.app import build_app

    app = build_app(outdir=str(tmp_path))
    stack: Any = app.node.find_child("Stillframe")
    sqs.Queue(stack, "Careless")
    # Then synthesis fails; the other tests show that the stacks themselves have no open finding
    with pytest.raises(RuntimeError, match="AwsSolutions-SQS3"):
        app.synth()
    report = json.loads((tmp_path / "validation-report.json").read_text())
    rules = {each["ruleName"] for plugin in report["pluginReports"] for each in plugin["violations"]}
    assert rules == {"AwsSolutions-SQS3", "AwsSolutions-SQS4"}
