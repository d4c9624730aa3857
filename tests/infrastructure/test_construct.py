"""Stillframe in an app of somebody else's."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from stacks.construct import Stillframe
from stacks.environment import ConfigError
from stacks.presets import PRESETS
from stillframe_cli.emulator import Emulator, running_emulator
from tests.support.event_patterns import matches
from tests.support.foreign_app import STACK, check, synthesize
from tests.support.linting import lint_findings
from tests.support.policies import Call, is_allowed
from tests.support.stacks import Account

from .configurations import ACCOUNT, BOUNDARY, ENDPOINTS, KEY, NETWORK, REGION, SECRET
from .conftest import of_type, only

Checked = tuple[dict[str, Any], set[tuple[str, str]]]

PREFIX = "Stillframe-webshop"
accounts = itertools.count(100_000_000_001)
VALUES = {"memoryMb": 3008, "alarmEmail": "you@example.com"}
PLACE = cdk.Environment(account=ACCOUNT, region=REGION)
# The foreign app where cdk-nag and cfn-lint look at it: with everything that adds a permission, and without.
APPS: dict[str, dict[str, object]] = {
    "function": {"compute": "lambda"},
    "both, canary": {"compute": "both", "rollout": "canary", "tracing": "true"},
    "key and network": {"compute": "both", "rollout": "canary", "kmsKeyArn": KEY, **NETWORK, **ENDPOINTS},
    "fleet": {"compute": "fargate", "keyPrefix": "shop/offers", "secrets": SECRET, "permissionsBoundary": BOUNDARY},
}


@pytest.fixture(scope="module", params=APPS)
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """A foreign app: its stacks, and what cdk-nag finds in them."""
    values = APPS[request.param]
    # A key belongs to a region; an app without one can be deployed anywhere.
    place = {"env": PLACE} if "kmsKeyArn" in values else {}
    return check(tmp_path_factory.mktemp("cdk.out"), values, **place)


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return synthesize(tmp_path_factory.mktemp("cdk.out"), VALUES)


def test_in_an_app_that_is_checked_it_adds_no_finding(app: Checked) -> None:
    # Given a foreign app with Stillframe
    stacks, left = app
    # When it is checked with cdk-nag and cfn-lint
    linted = {line for each in stacks.values() for line in lint_findings(json.dumps(each))}
    # Then neither has anything to say about Stillframe, or about what it adds to roles and users of the app
    assert left == set()
    # But docs/deploy.md has it that some regions have no pipes
    without_pipes = {line for line in linted if "'AWS::Pipes::Pipe' does not exist in" in line}
    assert linted - without_pipes == set()
    assert {line.split("'")[-2] for line in without_pipes} == {"ap-southeast-7", "mx-central-1", "us-gov-west-1"}


def test_the_whole_app_is_deployed_on_the_emulator(app: Checked, emulated: Emulator) -> None:
    # Given / When all stacks of a foreign app are created, in the order of their dependencies
    account = Account(emulated, str(next(accounts)))
    account.deploy(app[0])
    # Then its pipes read the streams of two tables
    pipes = account.client("pipes").list_pipes()["Pipes"]
    assert len(pipes) == 3
    assert len({pipe["Source"].rpartition("/stream/")[0] for pipe in pipes}) == 2


@pytest.fixture(scope="module")
def emulated() -> Iterator[Emulator]:
    with running_emulator(services="") as running:
        yield running


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("TheScreenshotsOfOffersInEveryCountry1", "TheScreenshotsOfOffersInEveryCountry2"),
        ("Offers_1", "Offers-1"),
        ("Größe", "Gr-sse"),
    ],
)
def test_no_two_of_an_app_have_one_name(one: str, other: str) -> None:
    # Given two in one stack, whose names differ in what a stack's name does not have, or after its end
    stack = cdk.Stack(cdk.App(), "WebShop")
    names = {Stillframe(stack, each).stack_name for each in (one, other)}
    # Then they are two deployments still, with names that CloudFormation accepts
    assert len(names) == 2
    assert all(re.fullmatch(r"Stillframe-webshop-[a-z0-9-]*[a-z0-9]", each) for each in names)


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
        STACK,
        *(f"{PREFIX}-{each}" for each in ("screenshots", "screenshots-Storage", "receipts", "receipts-Storage")),
    }
    assert of_type(templates["WebShop"], "AWS::DynamoDB::GlobalTable") == {}
    # And the values are in force, besides those of the preset
    function = only(templates["Stillframe-webshop-screenshots"], "AWS::Lambda::Function")
    assert function["MemorySize"] == 3008
    assert function["Environment"]["Variables"]["STILLFRAME_TABS"] == str(PRESETS["medium"]["tabs"])
    mapping = only(templates["Stillframe-webshop-screenshots"], "AWS::Lambda::EventSourceMapping")
    assert mapping["ScalingConfig"]["MaximumConcurrency"] == PRESETS["medium"]["maxConcurrency"]
    assert function["Environment"]["Variables"]["STILLFRAME_SERVICE"] == "stillframe-webshop-screenshots"


def test_whoever_sends_can_do_no_more(templates: dict[str, Any]) -> None:
    lists = [each["Action"] for each in statements(templates["WebShop"], "Writer")]
    actions = {action for each in lists for action in ([each] if isinstance(each, str) else each)}
    assert actions == {"sqs:SendMessage", "dynamodb:UpdateItem", "dynamodb:GetItem"}
    assert "s3:GetObject" in json.dumps(statements(templates["WebShop"], "Editor"))


def test_a_success_is_told_once_when_it_is_reached(templates: dict[str, Any]) -> None:
    # Given the pipes of the foreign stack, and the stream that they read
    found = of_type(templates["WebShop"], "AWS::Pipes::Pipe")
    pipes = {name: pipe for name, pipe in found.items() if name.startswith("Screenshots")}
    table = only(templates["Stillframe-webshop-screenshots-Storage"], "AWS::DynamoDB::GlobalTable")
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    patterns = {
        name.removeprefix("Screenshots").partition("Pipe")[0]: json.loads(
            pipe["SourceParameters"]["FilterCriteria"]["Filters"][0]["Pattern"]
        )
        for name, pipe in pipes.items()
    }
    assert patterns.keys() == {"Captured", "Failed"}
    # Then a record counts when it reaches the state, at its first writing too, and not when it is written again
    for pattern, status in ((patterns["Captured"], "success"), (patterns["Failed"], "failed")):
        new = {"status": {"S": status}}
        assert matches(pattern, {"dynamodb": {"NewImage": new, "OldImage": {"status": {"S": "pending"}}}})
        assert matches(pattern, {"dynamodb": {"NewImage": new}})
        assert not matches(pattern, {"dynamodb": {"NewImage": new, "OldImage": new}})
        assert not matches(pattern, {"dynamodb": {"NewImage": {"status": {"S": "pending"}}}})


def test_a_pipe_may_read_the_stream_and_reach_its_target_and_no_more(templates: dict[str, Any]) -> None:
    allowed = statements(templates["WebShop"], "ScreenshotsCaptured")
    # The queue of this app is under a key of the app.
    assert [each["Sid"] for each in allowed] == ["ReadStream", "HandOver", "UseKeyOfTarget"]
    assert allowed[1]["Action"] == "sqs:SendMessage"
    assert statements(templates["WebShop"], "ScreenshotsFailed")[1]["Action"] == "lambda:InvokeFunction"
    assert all(each["Resource"] != "*" for each in allowed)


def test_no_pipe_of_another_account_may_take_the_role_of_a_pipe(templates: dict[str, Any]) -> None:
    roles = of_type(templates[STACK], "AWS::IAM::Role")
    trusted = [role["AssumeRolePolicyDocument"] for name, role in roles.items() if name.startswith("Screenshots")]
    assert len(trusted) == 2
    for document in trusted:
        pipes = "pipes.amazonaws.com"
        assert is_allowed(document, Call(pipes, "sts:AssumeRole", {"aws:SourceAccount": ACCOUNT}))
        assert not is_allowed(document, Call(pipes, "sts:AssumeRole", {"aws:SourceAccount": "222222222222"}))


def test_a_pipe_may_decrypt_a_stream_under_the_owners_key(tmp_path: Path) -> None:
    # Given a table under the owner's key, whose stream is under it as well
    app = synthesize(tmp_path, APPS["key and network"], env=PLACE)
    # Then each pipe may decrypt with it, and nothing more
    for name in ("ScreenshotsCaptured", "ScreenshotsFailed"):
        (use,) = [each for each in statements(app[STACK], name) if each["Resource"] == KEY]
        assert use["Action"] == "kms:Decrypt"


def test_what_an_organisation_wants_on_everything_is_there(tmp_path: Path) -> None:
    # Given / When Stillframe in a foreign app, with tags and a boundary
    app = synthesize(tmp_path, {"permissionsBoundary": BOUNDARY, "tags": "team=web", "compute": "both"})
    own = {name: each for name, each in app.items() if name.startswith(f"{PREFIX}-screenshots")}
    # Then each role of it has the boundary, those of its pipes as well, and no role of the app itself has
    roles = [role for each in own.values() for role in of_type(each, "AWS::IAM::Role").values()]
    assert {role["PermissionsBoundary"] for role in roles} == {BOUNDARY}
    bounded = {name: role.get("PermissionsBoundary") for name, role in of_type(app[STACK], "AWS::IAM::Role").items()}
    assert {name.startswith("Screenshots"): each for name, each in bounded.items()} == {True: BOUNDARY, False: None}
    # And each queue has the tags
    for template in own.values():
        for queue in of_type(template, "AWS::SQS::Queue").values():
            assert {"Key": "team", "Value": "web"} in queue["Tags"]


def test_a_wrong_value_is_named() -> None:
    stack = cdk.Stack(cdk.App(), "WebShop")
    with pytest.raises(ConfigError, match="memroyMb is unknown"):
        Stillframe(stack, "Screenshots", memroyMb=1)
