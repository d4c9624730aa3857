"""Alarms, dashboard and saved queries: each alarm has a runbook entry, and alarms go off on the emulator."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from stacks.alarms import STALE_CLAIMS
from stacks.queries import QUERIES
from stillframe.clients import connect_cloudwatch
from stillframe.image.page_facts import PageFacts
from stillframe.image.render_result import StoredImage
from stillframe.outcome import Outcome, OutcomeKind
from stillframe_cli.capacity import prices
from stillframe_cli.emulator import Emulator, running_emulator
from stillframe_cli.publisher import MetricPublisher
from tests.support.policies import ACCOUNT, Call, is_allowed
from tests.support.templates import deployable
from tests.support.workers import wait_for

from .conftest import Synth, of_type

ROOT = Path(__file__).parents[2]
ENTRY = re.compile(r"docs/runbook\.md#([a-z-]+)$")
COMMON_ALARMS = {
    "QueueDepth", "OldestMessage", "ExpiringMessages", "DeadLetters", "ServiceErrors", "WorkerUnhealthy", "LostClaims",
    "StaleClaims", "BlankImages", "Cost", "FailedCaptures", "Latency", "NearDeadline",
}  # fmt: skip
FUNCTION_ALARMS = {"FunctionErrors", "Throttles", "ConcurrencyAtMaximum"}
FLEET_ALARMS = {"TasksAtMaximum"}


def alarms(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The alarms of the construct, by their names in it, without those that belong to scaling policies."""
    found = of_type(template, "AWS::CloudWatch::Alarm")
    return {name[6:-8]: alarm for name, alarm in found.items() if name.startswith("Alarms")}


@pytest.mark.parametrize(
    ("compute", "names"),
    [
        ("lambda", COMMON_ALARMS | FUNCTION_ALARMS),
        ("fargate", COMMON_ALARMS | FLEET_ALARMS),
        ("both", COMMON_ALARMS | FUNCTION_ALARMS | FLEET_ALARMS),
    ],
)
def test_every_compute_mode_has_the_alarms_it_needs(synth: Synth, compute: str, names: set[str]) -> None:
    found = alarms(synth(("stillframe:compute", compute))["Stillframe"])
    assert set(found) == names
    assert [name for name, alarm in found.items() if not alarm["AlarmActions"] or not alarm["OKActions"]] == []


@pytest.mark.parametrize("compute", ["lambda", "fargate", "both"])
def test_alarms_of_this_account_may_publish_to_every_topic_and_nobody_else_may(synth: Synth, compute: str) -> None:
    # Given the policy of each topic that an alarm names as its action
    template = synth(("stillframe:compute", compute))["Stillframe"]
    topics = {
        action["Ref"] for alarm in alarms(template).values() for action in (*alarm["AlarmActions"], *alarm["OKActions"])
    }
    policies = {
        topic["Ref"]: policy["PolicyDocument"]
        for policy in of_type(template, "AWS::SNS::TopicPolicy").values()
        for topic in policy["Topics"]
    }
    assert topics == set(of_type(template, "AWS::SNS::Topic")) == set(policies)
    for policy in policies.values():
        # When CloudWatch publishes for an alarm of this account, then it is allowed to
        own = {"aws:SourceAccount": ACCOUNT, "aws:SecureTransport": "true"}
        assert is_allowed(policy, Call("cloudwatch.amazonaws.com", "sns:Publish", own))
        # And neither for an alarm of another account nor without TLS, and no other service is
        for context in ({**own, "aws:SourceAccount": "222222222222"}, {**own, "aws:SecureTransport": "false"}):
            assert not is_allowed(policy, Call("cloudwatch.amazonaws.com", "sns:Publish", context))
        assert not is_allowed(policy, Call("events.amazonaws.com", "sns:Publish", own))


@pytest.mark.parametrize("days", [1, 4, 13])
def test_an_alarm_goes_off_while_there_is_time_before_messages_are_deleted(synth: Synth, days: int) -> None:
    # Given the retention of the queue
    templates = synth(("stillframe:queueRetentionDays", days))
    queues = of_type(templates["Stillframe-Storage"], "AWS::SQS::Queue").values()
    (retention,) = [each["MessageRetentionPeriod"] for each in queues if "RedrivePolicy" in each]
    # When nothing receives its messages, then an alarm on their age goes off half-way, and not earlier
    alarm = alarms(templates["Stillframe"])["ExpiringMessages"]
    assert alarm["MetricName"] == "ApproximateAgeOfOldestMessage"
    assert alarm["Threshold"] == retention / 2
    # And the runbook says that they are deleted, and not moved
    text = " ".join((ROOT / "docs/runbook.md").read_text().split())
    assert "SQS deletes a message that is still on the queue. It does not move it to the dead-letter queue." in text
    assert "after that in the dead-letter queue" not in text


def test_what_the_alarms_cost_is_told(synth: Synth) -> None:
    # Given the alarms of a default deployment, at 0.10 USD a month each ("Amazon CloudWatch pricing")
    count = len(of_type(synth()["Stillframe"], "AWS::CloudWatch::Alarm"))
    # Then the page on deploying has their number and what they cost
    text = " ".join((ROOT / "docs/deploy.md").read_text().split())
    assert f"{ {16: 'Sixteen', 17: 'Seventeen'}[count] } alarms cost {count / 10:.2f} USD" in text
    assert count == prices.ALARMS


def test_what_the_alarms_of_a_fleet_cost_is_in_the_plan(synth: Synth) -> None:
    # Given the alarms of a fleet, and two for each target that it tracks: above it and below it
    template = synth(("stillframe:compute", "fargate"))["Stillframe"]
    policies = of_type(template, "AWS::ApplicationAutoScaling::ScalingPolicy").values()
    tracked = [each["TargetTrackingScalingPolicyConfiguration"] for each in policies if "Target" in each["PolicyType"]]
    # When an alarm is charged for each metric that it reads ("Amazon CloudWatch pricing": metric math)
    reads = [
        sum("MetricStat" in each for each in policy.get("CustomizedMetricSpecification", {}).get("Metrics", [])) or 1
        for policy in tracked
    ]
    # Then the plan counts as many
    assert len(of_type(template, "AWS::CloudWatch::Alarm")) + 2 * sum(reads) == prices.FLEET_ALARMS


def test_every_alarm_names_an_entry_of_the_runbook(synth: Synth) -> None:
    # Given the headings of the runbook, as anchors
    text = (ROOT / "docs/runbook.md").read_text()
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^## (.+)$", text, re.MULTILINE)}
    # When the description of each alarm is read
    found = alarms(synth(("stillframe:compute", "both"))["Stillframe"])
    entries = {name: ENTRY.search(alarm["AlarmDescription"]) for name, alarm in found.items()}
    # Then it names one of these anchors
    assert [name for name, entry in entries.items() if entry is None or entry[1] not in anchors] == []


def test_the_runbook_covers_the_seven_symptoms_and_names_every_query() -> None:
    text = (ROOT / "docs/runbook.md").read_text()
    symptoms = (
        "Messages not deleted", "Duplicates", "Slow under scale", "Lost claims", "Stale claims", "Dead letters",
        "Blank images",
    )  # fmt: skip
    assert [symptom for symptom in symptoms if f"## {symptom}\n" not in text] == []
    for entry in text.split("\n## ")[1:]:
        parts = ("What it means", "What to look at", "What to do")
        assert [part for part in parts if f"**{part}.**" not in entry] == [], entry[:60]
    assert [name for name in QUERIES if name not in text] == []


def test_the_dashboard_shows_every_measurement(synth: Synth) -> None:
    template = synth(("stillframe:compute", "both"))["Stillframe"]
    (board,) = of_type(template, "AWS::CloudWatch::Dashboard").values()
    body = json.dumps(board["DashboardBody"])
    shown = (
        "ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage", "Captures", "Reasons", "RenderDuration",
        "ClaimAge", "EstimatedUsd", "CpuTime", "AwsTime", "ConcurrentExecutions", "RunningTaskCount", "LostClaims",
        "BlankImages", "FailedCaptures", "Latency", "NumberOfMessagesReceived", "NumberOfMessagesDeleted",
        "WriteThrottleEvents", "ReadThrottleEvents", "UserErrors",
    )  # fmt: skip
    assert [name for name in shown if name not in body] == []


def test_the_queries_read_both_log_groups(synth: Synth) -> None:
    template = synth(("stillframe:compute", "both"))["Stillframe"]
    found = of_type(template, "AWS::Logs::QueryDefinition").values()
    assert len(found) == len(QUERIES)
    assert {len(each["LogGroupNames"]) for each in found} == {2}


@pytest.fixture
def account() -> Iterator[Emulator]:
    """An emulator with every service."""
    with running_emulator(services="") as emulator:
        emulator.use_in_this_process()
        yield emulator


def test_alarms_deploy_and_go_off_on_the_emulator(synth: Synth, account: Emulator) -> None:
    # Given a deployment of both stacks
    cloudformation: Any = boto3.client("cloudformation")
    ssm: Any = boto3.client("ssm")
    # `cdk bootstrap` stores its version there, and the templates read it.
    ssm.put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="21", Type="String")
    templates = synth()
    for name in ("Stillframe-Storage", "Stillframe"):
        cloudformation.create_stack(
            StackName=name, TemplateBody=deployable(templates[name]), Capabilities=["CAPABILITY_IAM"]
        )
        wait_for(partial(_is_created, cloudformation, name), 30, name)
    cloudwatch: Any = boto3.client("cloudwatch")
    names = {alarm["AlarmName"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]}
    assert len(names) == len(COMMON_ALARMS | FUNCTION_ALARMS)
    assert len(cloudwatch.list_dashboards()["DashboardEntries"]) == 1
    assert {_state(cloudwatch, name) for name in COMMON_ALARMS} <= {"OK", "INSUFFICIENT_DATA"}
    # When claims are taken over, AWS refuses a call, 3 of 49 claims are lost, 1 of 46 images is blank and 2 pages fail
    publisher = MetricPublisher(connect_cloudwatch())
    for number in range(46):
        took_over = number < STALE_CLAIMS
        image = replace(IMAGE, facts=PageFacts(http_status=200, final_url="u", title="", blank=number == 0))
        publisher(_ended(OutcomeKind.CAPTURED, is_takeover=took_over, attempts=1 + took_over, image=image))
    for _ in range(3):
        publisher(_ended(OutcomeKind.SKIPPED))
    for _ in range(2):
        publisher(_ended(OutcomeKind.FAILED, error_code="UNKNOWN_HOST"))
    publisher(_ended(OutcomeKind.RETRY, error_code="AWS_ERROR"))
    publisher.close()
    # Then exactly the alarms for the first three go off
    expected = {"StaleClaims", "ServiceErrors", "LostClaims"}
    wait_for(
        lambda: {name for name in COMMON_ALARMS if _state(cloudwatch, name) == "ALARM"} == expected, 60, "the alarms"
    )
    assert _state(cloudwatch, "BlankImages") == _state(cloudwatch, "FailedCaptures") == "OK"


def test_the_alarms_on_captures_go_off_where_they_are_set(synth: Synth) -> None:
    # Given a deployment with limits of its own
    values = {"alarmFailedPercent": "5", "alarmLatencySeconds": "60", "jobDeadlineSeconds": "40"}
    found = alarms(synth(*((f"stillframe:{name}", value) for name, value in values.items()))["Stillframe"])
    # Then its alarms have them: a share of the captures, the 95th percentile in ms, and a tenth before the deadline
    assert [found[name]["Threshold"] for name in ("FailedCaptures", "Latency", "NearDeadline")] == [5, 60_000, 36_000]
    assert [found[name].get("ExtendedStatistic") for name in ("Latency", "NearDeadline")] == ["p95", "p99"]
    # And one bad period in five minutes alerts nobody
    assert {found[name]["EvaluationPeriods"] for name in ("FailedCaptures", "Latency", "NearDeadline")} == {3}


IMAGE = StoredImage("k", "s3://b/k", "image/png", 1, 1, 1, "00", PageFacts(http_status=200, final_url="u", title=""))


def _ended(kind: OutcomeKind, **facts: Any) -> Outcome:
    return Outcome(kind=kind, acknowledge=True, id="a", url="u", message_id="m", **facts)


def _is_created(cloudformation: Any, name: str) -> bool:
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    assert "FAILED" not in stack["StackStatus"], stack
    return bool(stack["StackStatus"] == "CREATE_COMPLETE")


def _state(cloudwatch: Any, name: str) -> str:
    (alarm,) = [each for each in cloudwatch.describe_alarms()["MetricAlarms"] if f"Alarms{name}" in each["AlarmName"]]
    return str(alarm["StateValue"])
