"""Digests in the templates: there are some with events and watches, and their function may do what it has to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.needed_permissions import Permission
from tests.support.policies import ACCOUNT, permits

from .configurations import KEY, PLACE
from .conftest import Synth, Templates, of_type

TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t"


def with_digests(synth: Synth, **values: object) -> Templates:
    given = {"events": "on", "watches": "on", "compute": "fargate", **values}
    return synth(*((f"stillframe:{name}", value) for name, value in given.items()))


def statements(template: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        statement
        for policy in of_type(template, "AWS::IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if any(role["Ref"].startswith("DigestsRole") for role in policy["Roles"])
    ]


@pytest.mark.parametrize("values", [{"watches": "off"}, {"events": "off"}])
def test_there_are_none_without_events_or_without_watches(synth: Synth, values: dict[str, str]) -> None:
    assert [
        name for name in with_digests(synth, **values)["Stillframe"]["Resources"] if name.startswith("Digests")
    ] == []


def test_a_rule_invokes_the_function_each_quarter_of_an_hour(synth: Synth) -> None:
    # Given the rule and the function of a deployment with both
    template = with_digests(synth)["Stillframe"]
    (rule,) = of_type(template, "AWS::Events::Rule").values()
    functions = of_type(template, "AWS::Lambda::Function")
    (name,) = [each for each in functions if each.startswith("Digests")]
    # Then the rule invokes this function, and may
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(15 minutes)", "ENABLED")
    assert rule["Targets"][0]["Arn"] == {"Fn::GetAtt": [name, "Arn"]}
    (permission,) = of_type(template, "AWS::Lambda::Permission").values()
    assert (permission["Principal"], permission["FunctionName"]) == (
        "events.amazonaws.com",
        {"Fn::GetAtt": [name, "Arn"]},
    )
    # And an invocation that fails is not repeated: the next one comes soon enough
    (asynchronous,) = of_type(template, "AWS::Lambda::EventInvokeConfig").values()
    assert asynchronous["MaximumRetryAttempts"] == 0
    # And it sends where the notifier sends
    (notifier,) = [each for each in functions if each.startswith("Notifier")]
    bus = "STILLFRAME_EVENT_BUS"
    assert functions[name]["Environment"]["Variables"][bus] == functions[notifier]["Environment"]["Variables"][bus]


@pytest.mark.parametrize(("key", "allowed"), [("digests#shop", True), ("order-42", False), ("key#1", False)])
def test_the_function_writes_nothing_but_until_when_it_has_told(synth: Synth, key: str, allowed: bool) -> None:
    # Given the statements of its role, when it updates an item of the table
    given = [
        {**each, "Resource": TABLE}
        for each in statements(with_digests(synth)["Stillframe"])
        if "dynamodb:UpdateItem" in each["Action"]
    ]
    # Then it may if it is one of its own
    assert permits(given, Permission("dynamodb:UpdateItem", TABLE, {"dynamodb:LeadingKeys": key})) is allowed


def test_it_may_use_the_owners_key(synth: Synth) -> None:
    template = with_digests(synth, kmsKeyArn=KEY, **PLACE)["Stillframe"]
    (use,) = [each for each in statements(template) if each["Resource"] == KEY]
    assert use["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]


def test_digests_that_are_late_for_an_hour_alert_somebody(synth: Synth) -> None:
    # Given the alarm
    template = with_digests(synth)["Stillframe"]
    (alarm,) = [each for name, each in of_type(template, "AWS::CloudWatch::Alarm").items() if "LateDigests" in name]
    # Then it is about four invocations in a row, and the runbook says what to do
    assert (alarm["MetricName"], alarm["Period"], alarm["EvaluationPeriods"]) == ("Errors", 900, 4)
    entry = alarm["AlarmDescription"].rpartition("#")[2]
    runbook = (Path(__file__).parents[2] / "docs/runbook.md").read_text()
    assert f"## {entry.replace('-', ' ').capitalize()}\n" in runbook
