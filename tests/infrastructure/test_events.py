"""Events in the templates: off by default, and nothing that could not be sent is lost in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stacks.config import DeployConfig
from stacks.environment import ConfigError
from stacks.notifier import TIMEOUT_SECONDS
from stillframe.clients import READ_SECONDS
from stillframe.table.record import Status
from tests.support.event_patterns import matches

from .configurations import KEY, PLACE
from .conftest import Synth, Templates, of_type, only

# "Change data capture for DynamoDB Streams": how long a stream keeps a change.
STREAM_SECONDS = 24 * 3600


def with_events(synth: Synth, **values: object) -> Templates:
    given = {"events": "on", "compute": "fargate", **values}
    return synth(*((f"stillframe:{name}", value) for name, value in given.items()))


def mapping_of(template: dict[str, Any]) -> dict[str, Any]:
    return only(template, "AWS::Lambda::EventSourceMapping")


def test_there_is_no_notifier_unless_events_are_wanted(synth: Synth) -> None:
    template = synth()["Stillframe"]
    assert [name for name in template["Resources"] if name.startswith("Notifier")] == []
    assert "EventFailuresUrl" not in template["Outputs"]
    assert "EventFailuresUrl" in with_events(synth)["Stillframe"]["Outputs"]


def test_events_can_be_switched_on_and_off(synth: Synth) -> None:
    # Given a deployment with events and one without, then their storage stacks are the same: CloudFormation refuses to
    # take back an export that another stack still imports, and the storage stack is deployed first
    storage = with_events(synth)["Stillframe-Storage"]
    assert storage == synth(("stillframe:compute", "fargate"))["Stillframe-Storage"]
    # And the stream has each record before and after
    table = only(storage, "AWS::DynamoDB::GlobalTable")
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_what_fails_comes_again_and_is_given_up_while_it_can_still_be_read(synth: Synth) -> None:
    # Given the mapping between stream and function
    template = with_events(synth)["Stillframe"]
    mapping = mapping_of(template)
    # Then a change fails alone, and a batch that fails is halved
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    # And nothing of the stream is left out at first, or when the mapping is replaced
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    # And what is given up is in the queue long before the stream drops it, which tells where it is
    assert 3600 < mapping["MaximumRecordAgeInSeconds"] <= STREAM_SECONDS / 2
    assert mapping["MaximumRetryAttempts"] == 10_000
    (queue,) = of_type(template, "AWS::SQS::Queue")
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": [queue, "Arn"]}}}
    assert only(template, "AWS::SQS::Queue")["MessageRetentionPeriod"] == 14 * STREAM_SECONDS


def test_an_invocation_outlasts_a_call_that_nobody_answers() -> None:
    # Three attempts of the standard mode, and the pauses between them
    assert TIMEOUT_SECONDS > 3 * READ_SECONDS + 20


@pytest.mark.parametrize(
    ("before", "after", "passes"),
    [
        (Status.PROCESSING, Status.SUCCESS, True),
        (Status.PROCESSING, Status.FAILED, True),
        (None, Status.FAILED, True),
        (None, Status.QUEUED, False),
        (Status.QUEUED, Status.PROCESSING, False),
        (Status.FAILED, Status.QUEUED, False),
        (Status.SUCCESS, None, False),
    ],
)
def test_only_what_may_be_a_completion_invokes_the_function(
    synth: Synth, before: Status | None, after: Status | None, passes: bool
) -> None:
    # Given the filter of the mapping
    (each,) = mapping_of(with_events(synth)["Stillframe"])["FilterCriteria"]["Filters"]
    # When a record changes, or an item that is no record
    change = {
        name: {"id": {"S": "a"}, "status": {"S": str(status)}}
        for name, status in (("OldImage", before), ("NewImage", after))
        if status is not None
    }
    # Then the filter lets it pass or not
    assert matches(json.loads(each["Pattern"]), {"dynamodb": change}) is passes
    assert not matches(json.loads(each["Pattern"]), {"dynamodb": {"NewImage": {"holder": {"S": "t"}}}})


@pytest.mark.parametrize("bus", ["default", "shop"])
def test_the_function_may_put_events_on_its_bus_alone(synth: Synth, bus: str) -> None:
    template = with_events(synth, eventBus=bus)["Stillframe"]
    statements = notifier_statements(template)
    (put,) = [each for each in statements if each["Action"] == "events:PutEvents"]
    assert put["Resource"]["Fn::Join"][1][-1] == f":event-bus/{bus}"
    (function,) = of_type(template, "AWS::Lambda::Function").values()
    assert function["Environment"]["Variables"]["STILLFRAME_EVENT_BUS"] == bus


def notifier_statements(template: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        statement
        for policy in of_type(template, "AWS::IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if any(role["Ref"].startswith("NotifierRole") for role in policy["Roles"])
    ]


def test_the_failure_queue_and_the_stream_are_under_the_owners_key(synth: Synth) -> None:
    template = with_events(synth, kmsKeyArn=KEY, **PLACE)["Stillframe"]
    assert only(template, "AWS::SQS::Queue")["KmsMasterKeyId"] == KEY
    (use,) = [each for each in notifier_statements(template) if each["Resource"] == KEY]
    assert use["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]


def test_late_and_lost_events_alert_somebody(synth: Synth) -> None:
    # Given the alarms of a deployment with events, then two of them are about events
    template = with_events(synth)["Stillframe"]
    found = {name: each for name, each in of_type(template, "AWS::CloudWatch::Alarm").items() if "Events" in name}
    late, lost = (next(each for name, each in found.items() if part in name) for part in ("LateEvents", "LostEvents"))
    assert (late["MetricName"], late["Threshold"]) == ("IteratorAge", 15 * 60 * 1000)
    assert (lost["MetricName"], lost["Threshold"]) == ("ApproximateNumberOfMessagesVisible", 1)
    assert len(found) == 2
    # And the runbook says what to do about each
    runbook = (Path(__file__).parents[2] / "docs/runbook.md").read_text()
    for alarm in found.values():
        entry = alarm["AlarmDescription"].rpartition("#")[2]
        assert f"## {entry.replace('-', ' ').capitalize()}\n" in runbook


def test_the_dashboard_shows_how_late_events_are(synth: Synth) -> None:
    (board,) = of_type(with_events(synth)["Stillframe"], "AWS::CloudWatch::Dashboard").values()
    body = json.dumps(board["DashboardBody"])
    assert [name for name in ("IteratorAge", "Invocations", "NotifierFailures") if name not in body] == []
    (without,) = of_type(synth()["Stillframe"], "AWS::CloudWatch::Dashboard").values()
    assert "IteratorAge" not in json.dumps(without["DashboardBody"])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"eventBus": "shop"}, "eventBus needs events on"),
        ({"events": "on", "eventBus": "no bus"}, "eventBus"),
        ({"events": "perhaps"}, "events"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        DeployConfig.of(values)


def test_a_third_reader_of_the_stream_is_refused(tmp_path: Path) -> None:
    # Given an app that has events, then it may have one listener besides them, and no second one
    from aws_cdk import App, Stack
    from aws_cdk import aws_sqs as sqs

    from stacks.construct import Stillframe

    own = Stack(App(outdir=str(tmp_path)), "Shop")
    screenshots = Stillframe(own, "Screenshots", events="on")
    queue = sqs.Queue(own, "Arrivals")
    screenshots.on_captured("Captured", queue)
    with pytest.raises(ConfigError, match="two readers"):
        screenshots.on_failed("Failed", queue)
