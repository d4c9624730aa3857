"""Watches in the templates, and the schedules that the command line makes in their group."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.session import get_session
from botocore.validate import validate_parameters

from stillframe.watches.declared import Declared
from stillframe.watches.watch import Watch, period_text
from stillframe_cli.emulator import running_emulator
from stillframe_cli.watching.schedule_group import SCHEDULED_TIME, ScheduleGroup
from tests.support.policies import ACCOUNT, Call, is_allowed

from .configurations import KEY, PLACE
from .conftest import Synth, of_type, only

URLS = ("https://example.com/a", "https://example.com/b")
NOW_MS = 1_767_225_600_000
GROUP = ScheduleGroup(
    "Stillframe-watches", f"arn:aws:iam::{ACCOUNT}:role/watches", f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
)


def watch(**values: Any) -> Watch:
    given = {"urls": list(URLS), "every": "1h", "compare": True, **values}
    return Watch.new(Declared.of("shop", {name: value for name, value in given.items() if value is not None}), NOW_MS)


def test_there_is_nothing_of_watches_unless_they_are_wanted(synth: Synth) -> None:
    template = synth()["Stillframe"]
    assert [name for name in template["Resources"] if name.startswith("Watching")] == []
    assert "WatchGroup" not in template["Outputs"]


def test_only_the_schedules_of_this_group_may_send(synth: Synth) -> None:
    # Given a deployment with watches
    template = synth(("stillframe:watches", "on"), *((f"stillframe:{name}", value) for name, value in PLACE.items()))
    resources = template["Stillframe"]["Resources"]
    (role,) = [
        each["Properties"]["AssumeRolePolicyDocument"]
        for name, each in resources.items()
        if name.startswith("WatchingRole") and each["Type"] == "AWS::IAM::Role"
    ]
    # When EventBridge Scheduler takes the role, then it may for a schedule of this group and account, and no other
    group = f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule-group/Stillframe-watches"
    document = {"Statement": [_joined(each) for each in role["Statement"]]}
    for source, account, expected in (
        (group, ACCOUNT, True),
        (group.replace("Stillframe-watches", "default"), ACCOUNT, False),
        (group, "222222222222", False),
    ):
        call = Call(
            "scheduler.amazonaws.com", "sts:AssumeRole", {"aws:SourceAccount": account, "aws:SourceArn": source}
        )
        assert is_allowed(document, call) is expected, (source, account)
    # And it may do nothing but send to the queue
    (policy,) = [each for name, each in resources.items() if name.startswith("WatchingRoleDefaultPolicy")]
    assert [each["Action"] for each in policy["Properties"]["PolicyDocument"]["Statement"]] == ["sqs:SendMessage"]


def _joined(statement: dict[str, Any]) -> dict[str, Any]:
    """The statement with each Fn::Join written out."""

    def resolve(value: Any) -> Any:
        if isinstance(value, dict) and value.keys() == {"Fn::Join"}:
            return "".join(each if isinstance(each, str) else "aws" for each in value["Fn::Join"][1])
        return {name: resolve(each) for name, each in value.items()} if isinstance(value, dict) else value

    resolved: dict[str, Any] = resolve(statement)
    return resolved


def test_a_queue_under_a_key_of_the_owner_takes_the_messages(synth: Synth) -> None:
    values = {"watches": "on", "kmsKeyArn": KEY, **PLACE}
    template = synth(*((f"stillframe:{name}", value) for name, value in values.items()))["Stillframe"]
    (policy,) = [each for name, each in template["Resources"].items() if name.startswith("WatchingRoleDefaultPolicy")]
    allowed = policy["Properties"]["PolicyDocument"]["Statement"]
    assert [each["Action"] for each in allowed] == ["sqs:SendMessage", ["kms:Decrypt", "kms:GenerateDataKey"]]


def test_an_operator_may_pass_this_role_to_the_scheduler_and_nothing_else(synth: Synth) -> None:
    template = synth(("stillframe:watches", "on"))["Stillframe"]
    found = of_type(template, "AWS::IAM::ManagedPolicy")
    passing = {
        name[:-8]: each
        for name, policy in found.items()
        for each in policy["PolicyDocument"]["Statement"]
        if each["Action"] == "iam:PassRole"
    }
    assert list(passing) == ["AccessOperate"]
    statement = passing["AccessOperate"]
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
    assert statement["Resource"]["Fn::GetAtt"][0].startswith("WatchingRole")
    assert only(template, "AWS::Scheduler::ScheduleGroup")["Name"] == "Stillframe-watches"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {"ScheduleExpression": "cron(0 * * * ? *)", "State": "ENABLED", "FlexibleTimeWindow": {"Mode": "OFF"}}),
        ({"spread": 10}, {"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 10}}),
        (
            {"every": None, "cron": "30 6 * * *", "timezone": "Europe/Berlin"},
            {"ScheduleExpression": "cron(30 6 * * ? *)", "ScheduleExpressionTimezone": "Europe/Berlin"},
        ),
    ],
)
def test_a_schedule_is_as_the_api_takes_it(values: dict[str, Any], expected: dict[str, Any]) -> None:
    # Given / When the schedule of a page
    arguments = GROUP.arguments(watch(**values), URLS[0])
    # Then it has these values, and is valid by the service's own model
    assert arguments.items() >= expected.items()
    shape = get_session().get_service_model("scheduler").operation_model("CreateSchedule").input_shape
    assert shape is not None
    validate_parameters({"Name": GROUP.schedule_name("shop", URLS[0]), **arguments}, shape)


def test_a_schedule_sends_what_the_scheduler_of_one_machine_sends() -> None:
    # Given the body of a schedule, when EventBridge Scheduler has put the time into it
    each = watch()
    body = GROUP.arguments(each, URLS[0])["Target"]["Input"].replace(SCHEDULED_TIME, period_text(NOW_MS))
    # Then it is the request of that period
    assert json.loads(body) == each.request(URLS[0], NOW_MS).to_wire()


@pytest.mark.parametrize(("every", "seconds"), [("1m", 60), ("15m", 900), ("1h", 3600), ("1d", 86_400), ("7d", 86_400)])
def test_a_call_that_fails_is_tried_again_until_the_next_period(every: str, seconds: int) -> None:
    retry = GROUP.arguments(watch(every=every), URLS[0])["Target"]["RetryPolicy"]
    assert retry == {"MaximumEventAgeInSeconds": seconds, "MaximumRetryAttempts": 185}


@pytest.fixture
def scheduler() -> Iterator[Any]:
    """EventBridge Scheduler of an emulator, with the group."""
    with running_emulator(services="scheduler") as emulator:
        emulator.use_in_this_process()
        session: Any = boto3.session.Session()
        client = session.client("scheduler")
        client.create_schedule_group(Name=GROUP.name)
        yield client


def names(scheduler: Any) -> dict[str, str]:
    return {each["Name"]: each["State"] for each in scheduler.list_schedules(GroupName=GROUP.name)["Schedules"]}


def test_the_schedules_are_what_the_watch_says(scheduler: Any) -> None:
    # Given a watch of two pages, and one whose name begins alike
    each = watch()
    other = watch().model_copy(update={"name": "shop-2"})
    for _ in range(2):
        GROUP.put(each)
    GROUP.put(other)
    assert len(names(scheduler)) == 4
    # When one page is left out and the watch is paused
    changed = each.changed_to(Declared.of("shop", {"urls": [URLS[1]], "every": "15m"}), NOW_MS + 1).paused(NOW_MS + 2)
    GROUP.put(changed)
    # Then its schedule is gone, and the other one is changed and off
    assert GROUP.schedule_name("shop", URLS[0]) not in names(scheduler)
    found = scheduler.get_schedule(GroupName=GROUP.name, Name=GROUP.schedule_name("shop", URLS[1]))
    assert (found["State"], found["ScheduleExpression"]) == ("DISABLED", "cron(0,15,30,45 * * * ? *)")
    # And with the watch, all its schedules go, and none of the other one's
    GROUP.put(changed.removed(NOW_MS + 3))
    assert sorted(names(scheduler)) == sorted(GROUP.schedule_name("shop-2", url) for url in URLS)


def test_a_schedule_that_a_removal_has_left_goes_with_the_next_file(scheduler: Any) -> None:
    # Given two watches, of which one was removed, but not its schedules, as the calls were throttled
    GROUP.put(watch())
    GROUP.put(watch().model_copy(update={"name": "shop-2"}))
    # When what is declared is the other one
    GROUP.delete_others({"shop-2"})
    # Then only its schedules are left
    assert sorted(names(scheduler)) == sorted(GROUP.schedule_name("shop-2", url) for url in URLS)


@pytest.mark.parametrize(
    ("cron", "seconds"),
    [("0 9,10 * * *", 3600), ("0,50 8 * * 1", 3000), ("0 0,23 * * 1,2", 3600), ("0 6 1 * *", 86_400)],
)
@pytest.mark.parametrize("hours", [0, 9.5, 40])
def test_a_call_is_never_tried_again_once_the_next_period_has_begun(cron: str, seconds: int, hours: float) -> None:
    # Given periods that are not equally far apart, and a watch that is added between any two of them
    each = Watch.new(Declared.of("shop", {"urls": [URLS[0]], "cron": cron}), NOW_MS + int(hours * 3_600_000))
    # Then a call is tried again no longer than the shortest period lasts: there is one policy for all of them
    retry = GROUP.arguments(each, URLS[0])["Target"]["RetryPolicy"]
    assert retry["MaximumEventAgeInSeconds"] == seconds
