"""Stillframe in an app of somebody else's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from stacks.construct import Stillframe
from stacks.environment import ConfigError

from .conftest import of_type, only


class Shop(cdk.Stack):
    """A foreign stack: a web shop that wants pictures of its offers, and to know when there is one."""

    def __init__(self, scope: cdk.App, name: str) -> None:
        super().__init__(scope, name)
        shots = Stillframe(self, "Screenshots", size="medium", memoryMb=3008, alarmEmail="you@example.com")
        code = lambda_.Code.from_inline("def handler(event, context): pass")
        self.shop, self.watcher = (
            lambda_.Function(self, each, runtime=lambda_.Runtime.PYTHON_3_13, handler="index.handler", code=code)
            for each in ("Shop", "Watcher")
        )
        shots.grant_send(self.shop)
        shots.grant_look(iam.User(self, "Editor"))
        shots.on_captured("Captured", sqs.Queue(self, "Pictures"))
        shots.on_failed("Failed", self.watcher)
        cdk.CfnOutput(self, "Queue", value=shots.variables["QUEUE_URL"])


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("cdk.out")
    app = cdk.App(outdir=str(folder))
    Shop(app, "WebShop")
    app.synth()
    return stacks_in(folder)


def stacks_in(folder: Path) -> dict[str, Any]:
    """The template of each stack, by the stack's name."""
    manifest = json.loads((folder / "manifest.json").read_text())
    stacks = {name: each for name, each in manifest["artifacts"].items() if each["type"] == "aws:cloudformation:stack"}
    return {
        each["properties"].get("stackName", name): json.loads((folder / each["properties"]["templateFile"]).read_text())
        for name, each in stacks.items()
    }


def statements(template: dict[str, Any], role: str) -> list[dict[str, Any]]:
    return [
        statement
        for name, policy in of_type(template, "AWS::IAM::Policy").items()
        if name.startswith(role)
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def test_it_is_two_stacks_beside_the_one_that_uses_it(templates: dict[str, Any]) -> None:
    # Given a foreign stack, then what must outlive it is in a stack of its own, which the command line finds
    assert set(templates) == {
        "WebShop",
        "Stillframe-webshop-screenshots",
        "Stillframe-webshop-screenshots-Storage",
    }
    assert of_type(templates["WebShop"], "AWS::DynamoDB::GlobalTable") == {}
    # And the values are in force, besides those of the preset
    function = only(templates["Stillframe-webshop-screenshots"], "AWS::Lambda::Function")
    assert function["MemorySize"] == 3008
    assert function["Environment"]["Variables"]["STILLFRAME_TABS"] == "7"
    assert function["Environment"]["Variables"]["STILLFRAME_SERVICE"] == "stillframe-webshop-screenshots"


def test_whoever_sends_can_do_no_more(templates: dict[str, Any]) -> None:
    lists = [each["Action"] for each in statements(templates["WebShop"], "Shop")]
    actions = {action for each in lists for action in ([each] if isinstance(each, str) else each)}
    assert actions == {"sqs:SendMessage", "dynamodb:UpdateItem", "dynamodb:GetItem"}
    assert "s3:GetObject" in json.dumps(statements(templates["WebShop"], "Editor"))


def test_a_success_is_told_once_when_it_is_reached(templates: dict[str, Any]) -> None:
    # Given the pipes of the foreign stack, and the stream that they read
    pipes = of_type(templates["WebShop"], "AWS::Pipes::Pipe")
    table = only(templates["Stillframe-webshop-screenshots-Storage"], "AWS::DynamoDB::GlobalTable")
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    patterns = {
        name.removeprefix("Screenshots")[: len("Captured")]: json.loads(
            pipe["SourceParameters"]["FilterCriteria"]["Filters"][0]["Pattern"]
        )
        for name, pipe in pipes.items()
    }
    captured = patterns["Captured"]["dynamodb"]
    # Then a record counts when it becomes a success, and not when one that was a success is written again
    assert captured["NewImage"] == {"status": {"S": ["success"]}}
    assert captured["OldImage"] == {"status": {"S": [{"anything-but": ["success"]}]}}
    assert len(pipes) == 2


def test_a_pipe_may_read_the_stream_and_reach_its_target_and_no_more(templates: dict[str, Any]) -> None:
    allowed = statements(templates["WebShop"], "ScreenshotsCaptured")
    assert [each["Sid"] for each in allowed] == ["ReadStream", "HandOver"]
    assert allowed[1]["Action"] == "sqs:SendMessage"
    assert statements(templates["WebShop"], "ScreenshotsFailed")[1]["Action"] == "lambda:InvokeFunction"
    assert all(each["Resource"] != "*" for each in allowed)


def test_without_a_listener_the_table_has_no_stream(synth: Any) -> None:
    assert "StreamSpecification" not in only(synth()["Stillframe-Storage"], "AWS::DynamoDB::GlobalTable")


def test_a_wrong_value_is_named() -> None:
    stack = cdk.Stack(cdk.App(), "WebShop")
    with pytest.raises(ConfigError, match="memroyMb is unknown"):
        Stillframe(stack, "Screenshots", memroyMb=1)
