"""Examines what runs in the account: does the queue have a receiver, and does anybody hear of it if not?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from stillframe.aws_errors import error_code

from .diagnosis import Diagnosis, Verdict

# "GetEventSourceMapping", State.
ENABLED = frozenset({"Enabled", "Enabling", "Creating", "Updating"})
SHOWN_ALARMS = 5


def examine_service(stack: str, outputs: Mapping[str, str]) -> Iterator[Diagnosis]:
    """What to look at in the first hour of a deployment, by the outputs of its stack. Changes nothing."""
    if "FunctionName" in outputs:
        yield from _asked("function", lambda: _examine_function(outputs["FunctionName"]))
        yield from _asked("event source", lambda: _examine_event_source(outputs))
        if "MaxConcurrency" in outputs:
            yield from _asked("quota", lambda: _examine_quota(int(outputs["MaxConcurrency"])))
    if "ServiceName" in outputs:
        yield from _asked("fleet", lambda: _examine_fleet(outputs["ClusterName"], outputs["ServiceName"]))
    if "AlarmTopicArn" in outputs:
        yield from _asked("alarm topic", lambda: _examine_topic(outputs["AlarmTopicArn"]))
    yield from _asked("alarms", lambda: _examine_alarms(stack))


def _asked(subject: str, examine: Callable[[], Diagnosis]) -> Iterator[Diagnosis]:
    """The diagnosis, or why there is none: whoever runs workers may not be allowed to look at the account."""
    try:
        yield examine()
    except ClientError as error:
        if "AccessDenied" in error_code(error) or "NotAuthorized" in error_code(error):
            remedy = "attach the policy in the output OperatePolicyArn"
            yield Diagnosis(subject, Verdict.SKIPPED, f"these credentials may not ask: {error}", remedy)
        else:
            yield Diagnosis(subject, Verdict.FAILED, str(error), "docs/deploy.md says what is deployed")
    except (BotoCoreError, ResponseParserError) as error:
        yield Diagnosis(subject, Verdict.SKIPPED, f"AWS did not answer: {error}")


def _examine_function(name: str) -> Diagnosis:
    client: Any = boto3.client("lambda")
    found = client.get_function_configuration(FunctionName=name)
    state, update = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
    if state == "Pending" or update == "InProgress":
        return Diagnosis("function", Verdict.WARNING, f"{name} is being created or updated", "ask again in a minute")
    if state == "Failed" or update == "Failed":
        reason = found.get("LastUpdateStatusReason") or found.get("StateReason") or "no reason is given"
        return Diagnosis("function", Verdict.FAILED, f"{name}: {state}, {update}: {reason}", "deploy it again")
    return Diagnosis("function", Verdict.OK, f"{name}: {found['MemorySize']} MB, {found['Timeout']} s")


def _examine_event_source(outputs: Mapping[str, str]) -> Diagnosis:
    subject, name = "event source", outputs["FunctionName"]
    client: Any = boto3.client("lambda")
    if "EventSourceMapping" in outputs:
        mapping = client.get_event_source_mapping(UUID=outputs["EventSourceMapping"])
    else:
        mappings = client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        if not mappings:
            return Diagnosis(subject, Verdict.FAILED, f"{name} does not receive from any queue", "deploy it again")
        mapping = mappings[0]
    state = mapping["State"]
    if state not in ENABLED:
        return Diagnosis(subject, Verdict.FAILED, f"it is {state}: messages wait", "stillframe scale --resume")
    return Diagnosis(subject, Verdict.OK, f"it is {state}: {mapping.get('LastProcessingResult', 'no result yet')}")


def _examine_quota(max_concurrency: int) -> Diagnosis:
    client: Any = boto3.client("lambda")
    quota = client.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    detail = f"{quota} concurrent executions in this account and region, {max_concurrency} at most for this function"
    if quota < max_concurrency:
        return Diagnosis("quota", Verdict.WARNING, detail, "raise the quota in Service Quotas, or lower maxConcurrency")
    return Diagnosis("quota", Verdict.OK, detail)


def _examine_fleet(cluster: str, service: str) -> Diagnosis:
    client: Any = boto3.client("ecs")
    found = client.describe_services(cluster=cluster, services=[service])["services"]
    if not found:
        return Diagnosis("fleet", Verdict.FAILED, f"the cluster {cluster} has no service {service}", "deploy it again")
    running, desired = found[0]["runningCount"], found[0]["desiredCount"]
    detail = f"{running} of {desired} tasks run"
    if running == 0:
        events = found[0].get("events") or [{}]
        said = events[0].get("message", "the service says nothing")
        remedy = "stillframe scale --tasks 3" if desired == 0 else "look at the stopped tasks' reasons in ECS"
        return Diagnosis("fleet", Verdict.FAILED, f"{detail}: {said}", remedy)
    return Diagnosis("fleet", Verdict.OK if running >= desired else Verdict.WARNING, detail)


def _examine_topic(arn: str) -> Diagnosis:
    subject = "alarm topic"
    client: Any = boto3.client("sns")
    subscriptions = client.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    confirmed = [each for each in subscriptions if each["SubscriptionArn"].startswith("arn:")]
    if confirmed:
        return Diagnosis(subject, Verdict.OK, f"{len(confirmed)} confirmed subscriptions")
    if subscriptions:
        remedy = "confirm it in the e-mail that SNS has sent, which is valid for three days"
        return Diagnosis(subject, Verdict.WARNING, "no subscription is confirmed, so no alarm reaches anybody", remedy)
    remedy = "set alarmEmail and deploy, or subscribe to the topic"
    return Diagnosis(subject, Verdict.WARNING, "it has no subscription, so no alarm reaches anybody", remedy)


def _examine_alarms(stack: str) -> Diagnosis:
    client: Any = boto3.client("cloudwatch")
    found = client.describe_alarms(AlarmNamePrefix=f"{stack}-", StateValue="ALARM")["MetricAlarms"]
    if not found:
        return Diagnosis("alarms", Verdict.OK, "none is in alarm")
    names = ", ".join(each["AlarmName"] for each in found[:SHOWN_ALARMS])
    return Diagnosis(
        "alarms", Verdict.WARNING, f"{len(found)} in alarm: {names}", "docs/runbook.md has an entry for each"
    )
