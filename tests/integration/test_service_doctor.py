"""`doctor --stack`: what to look at in the first hour of a deployment."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from stillframe_cli.doctor import service
from stillframe_cli.doctor.service import examine_service
from stillframe_cli.emulator import Emulator

Function = tuple[Emulator, str]


def found(stack: str = "Stillframe", **outputs: str) -> dict[str, tuple[str, str]]:
    """The verdict on each subject, with what was found and what to do about it."""
    diagnoses = examine_service(stack, outputs)
    return {each.subject: (each.verdict.value, f"{each.detail} -> {each.remedy}") for each in diagnoses}


def client(name: str) -> Any:
    return boto3.client(name)  # type: ignore[call-overload]


def test_a_function_that_receives_is_well(function: Function) -> None:
    # Given a function that has just been created, which is no failure
    assert found(FunctionName=function[1])["function"][0] in ("ok", "warning")
    client("lambda").get_waiter("function_active_v2").wait(FunctionName=function[1])
    # When it is active, and its account allows its concurrency, then all is well
    verdicts = found(FunctionName=function[1], MaxConcurrency="10")
    assert {subject: verdict for subject, (verdict, _) in verdicts.items()} == {
        "function": "ok",
        "event source": "ok",
        "quota": "ok",
        "alarms": "ok",
    }


def test_a_paused_event_source_is_a_failure_that_says_how_to_resume(function: Function) -> None:
    (mapping,) = client("lambda").list_event_source_mappings(FunctionName=function[1])["EventSourceMappings"]
    client("lambda").update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    verdict, text = found(FunctionName=function[1])["event source"]
    assert (verdict, "stillframe scale --resume" in text) == ("failed", True)


def test_a_function_that_is_gone_is_a_failure(function: Function) -> None:
    assert found(FunctionName="nobody")["function"][0] == "failed"


def test_a_quota_below_the_maximum_is_told(function: Function) -> None:
    verdict, text = found(FunctionName=function[1], MaxConcurrency="100000")["quota"]
    assert (verdict, "Service Quotas" in text) == ("warning", True)


def test_a_topic_without_a_subscription_is_told(function: Function) -> None:
    arn = client("sns").create_topic(Name="alarms")["TopicArn"]
    verdict, text = found(AlarmTopicArn=arn)["alarm topic"]
    assert (verdict, "set alarmEmail" in text) == ("warning", True)


def test_a_subscription_that_waits_to_be_confirmed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given the answer of SNS ("ListSubscriptionsByTopic") for an address that has not confirmed; the emulator confirms
    class Answering:
        def list_subscriptions_by_topic(self, TopicArn: str) -> Any:
            pending = {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": "you@example.com"}
            return {"Subscriptions": [{**pending, "TopicArn": TopicArn}]}

        def describe_alarms(self, **_: str) -> Any:
            return {"MetricAlarms": []}

    monkeypatch.setattr(boto3, "client", lambda _: Answering())
    # When the topic is examined, then the remedy says what is missing
    verdict, text = found(AlarmTopicArn="arn:aws:sns:us-east-1:111111111111:alarms")["alarm topic"]
    assert (verdict, "confirm it" in text) == ("warning", True)


def test_a_confirmed_subscription_is_enough(function: Function) -> None:
    arn = client("sns").create_topic(Name="alarms")["TopicArn"]
    queue = client("sqs").create_queue(QueueName="pager")["QueueUrl"]
    attributes = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    # Given a subscription that needs no confirmation
    client("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=attributes["QueueArn"])
    assert found(AlarmTopicArn=arn)["alarm topic"][0] == "ok"


def test_what_is_in_alarm_is_named(function: Function) -> None:
    # Given two alarms, one of them of this stack
    for name in ("Stillframe-prod-AlarmsDeadLetters", "Other-Alarm"):
        client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace="Stillframe",
            MetricName="x",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="breaching",
        )
        client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    verdict, text = found("Stillframe-prod")["alarms"]
    assert (verdict, "1 in alarm: Stillframe-prod-AlarmsDeadLetters" in text) == ("warning", True)


def test_what_one_may_not_ask_is_skipped_and_names_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given credentials that may do nothing
    def refuse(_: str) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, "DescribeAlarms")

    monkeypatch.setattr(service, "_examine_alarms", refuse)
    # When the account is examined, then that is no fault of the deployment
    verdict, text = found()["alarms"]
    assert (verdict, "OperatePolicyArn" in text) == ("skipped", True)
