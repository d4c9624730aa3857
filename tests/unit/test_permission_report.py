"""The comparison of calls with policies finds what is denied and what is unused, and refuses what it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from tests.support.needed_permissions import arn, needed
from tests.support.permission_report import PermissionReport
from tests.support.policies import ACCOUNT
from tests.support.recorded_calls import RecordedCall
from tests.support.template_references import References

QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:queue"
RECEIVE = RecordedCall("sqs", "ReceiveMessage", {"QueueUrl": f"https://sqs/{ACCOUNT}/queue"}, 200)
MISSING = RecordedCall("s3", "HeadObject", {"Bucket": "images", "Key": "a/b.png"}, 404)


def report(
    *statements: dict[str, Any],
    calls: tuple[RecordedCall, ...] = (RECEIVE,),
    reasons: Mapping[str, str] = MappingProxyType({}),
) -> PermissionReport:
    allowed = [{"Effect": "Allow", **each} for each in statements]
    return PermissionReport("role", allowed, calls, ACCOUNT, reasons)


@pytest.mark.parametrize(
    ("action", "resource"),
    [("sqs:ReceiveMessage", QUEUE), ("sqs:Receive*", "*"), ("sqs:ReceiveMessage", f"{QUEUE[:-1]}?")],
)
def test_a_call_that_a_statement_covers_is_allowed_and_uses_it(action: str, resource: str) -> None:
    found = report({"Action": action, "Resource": resource})
    assert (found.denied, found.unused) == ([], [])


@pytest.mark.parametrize(
    ("action", "resource"),
    [("sqs:DeleteMessage", QUEUE), ("sqs:ReceiveMessage", f"{QUEUE}-dead-letters"), ("sqs:ReceiveMessage", QUEUE[:-1])],
)
def test_another_action_or_another_resource_is_denied_and_unused(action: str, resource: str) -> None:
    found = report({"Action": action, "Resource": resource})
    assert found.denied == [f"sqs:ReceiveMessage on {QUEUE}"]
    assert found.unexplained == [f"{action} on {resource}"]


def test_a_deny_outweighs_an_allow() -> None:
    everything = {"Action": "*", "Resource": "*"}
    assert report(everything).denied == []
    assert report(everything, {**everything, "Effect": "Deny"}).denied == [f"sqs:ReceiveMessage on {QUEUE}"]


def test_a_reason_explains_what_is_unused_and_is_superfluous_once_it_is_used() -> None:
    statement = {"Action": ["sqs:ReceiveMessage", "sqs:PurgeQueue"], "Resource": QUEUE}
    reasons = {"sqs:PurgeQueue": "why not", "sqs:ReceiveMessage": "it is used"}
    found = report(statement, reasons=reasons)
    assert (found.unexplained, found.superfluous_reasons) == ([], ["sqs:ReceiveMessage"])


def test_a_missing_object_needs_permission_to_list_the_bucket() -> None:
    assert [each.action for each in needed(MISSING, ACCOUNT)] == ["s3:GetObject", "s3:ListBucket"]


def test_permission_for_one_event_source_is_not_permission_for_another() -> None:
    # Given permission to change one event source
    action, own = "lambda:UpdateEventSourceMapping", arn("lambda", ACCOUNT, "event-source-mapping:one")

    def of(mapping: str) -> RecordedCall:
        return RecordedCall("lambda", "UpdateEventSourceMapping", {"UUID": mapping}, 202)

    # Then that of another function is denied
    denied = [len(report({"Action": action, "Resource": own}, calls=(of(each),)).denied) for each in ("one", "two")]
    assert denied == [0, 1]


def test_what_is_not_known_fails() -> None:
    condition = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    with pytest.raises(NotImplementedError, match="IpAddress"):
        _ = report({"Action": "*", "Resource": "*", "Condition": condition}).denied
    with pytest.raises(NotImplementedError, match="NotAction"):
        _ = report({"NotAction": "*", "Action": "*", "Resource": "*"}).denied
    with pytest.raises(NotImplementedError, match="sqs:PurgeQueue"):
        needed(RecordedCall("sqs", "PurgeQueue", {}, 200), ACCOUNT)
    with pytest.raises(NotImplementedError, match="Fn::Select"):
        References({}, ACCOUNT, {}).resolve({"Fn::Select": [0, ["a"]]})
