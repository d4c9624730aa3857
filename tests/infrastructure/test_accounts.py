"""What differs between the accounts of owners: tags, tracing, partitions, and who may use the queues."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stacks.config import DeployConfig
from stacks.environment import ConfigError

from .conftest import Synth, of_type, only

ROOT = Path(__file__).parents[2]
COMPUTE = ("lambda", "fargate", "both")
TAGGED = ("AWS::SQS::Queue", "AWS::S3::Bucket", "AWS::Lambda::Function", "AWS::SNS::Topic")


def test_the_owners_tags_are_on_every_resource(synth: Synth) -> None:
    # Given tags that the owner's cost reports need
    templates = synth(("stillframe:tags", "team=web, cost-centre=42=7"))
    # Then queues, bucket, function and topic have them beside the application's own
    for template in templates.values():
        for kind in TAGGED:
            for properties in of_type(template, kind).values():
                tags = {tag["Key"]: tag["Value"] for tag in properties["Tags"]}
                assert tags == {"application": "stillframe", "team": "web", "cost-centre": "42=7"}


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ("team", ["'team'", "NAME=VALUE"]),
        ("=web", ["'=web'", "NAME=VALUE"]),
        ("aws:team=web", ["aws:team", "reserved"]),
        ("application=mine", ["application", "reserved"]),
        ("team=a,team=b", ["team", "twice"]),
        (f"team={'x' * 257}", ["NAME=VALUE", "256"]),
        ("team=a|b", ["'team=a|b'", "NAME=VALUE"]),
        (",".join(f"t{number}=x" for number in range(41)), ["40"]),
    ],
)
def test_a_tag_that_aws_refuses_is_named(tags: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        DeployConfig.from_context({"stillframe:tags": tags})
    assert [word for word in words if word not in str(refused.value)] == []


def test_a_function_is_traced_only_on_request(synth: Synth) -> None:
    # Given a deployment without tracing, and one with it
    for context, mode in (((), None), ((("stillframe:tracing", "true"),), {"Mode": "Active"})):
        template = synth(*context)["Stillframe"]
        # Then the function is traced, and may send its traces, only in the second
        statements = only(template, "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
        allowed = {action for each in statements for action in _list(each["Action"]) if action.startswith("xray:")}
        assert only(template, "AWS::Lambda::Function").get("TracingConfig") == mode
        assert allowed == ({"xray:PutTraceSegments", "xray:PutTelemetryRecords"} if mode else set())


def test_tracing_of_a_fleet_is_refused() -> None:
    with pytest.raises(ConfigError, match="tracing needs a function"):
        DeployConfig.from_context({"stillframe:tracing": "true", "stillframe:compute": "fargate"})


def test_no_queue_may_take_the_capture_queue_for_its_dead_letter_queue(synth: Synth) -> None:
    # Otherwise its dead letters would be captured as requests.
    queues = of_type(synth()["Stillframe-Storage"], "AWS::SQS::Queue").values()
    (policy,) = [each.get("RedriveAllowPolicy") for each in queues if "RedrivePolicy" in each]
    assert policy == {"redrivePermission": "denyAll"}


@pytest.mark.parametrize("compute", COMPUTE)
def test_no_template_names_a_partition(synth: Synth, compute: str) -> None:
    for template in synth(("stillframe:compute", compute)).values():
        assert "arn:aws:" not in json.dumps(template)
        assert "arn:aws-" not in json.dumps(template)


def test_synthesis_knows_the_partitions_of_china_and_of_the_us_government() -> None:
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    assert set(context["@aws-cdk/core:target-partitions"]) == {"aws", "aws-cn", "aws-us-gov"}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
