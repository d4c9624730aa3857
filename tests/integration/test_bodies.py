"""Bodies that nobody would send on purpose: each ends in a record or in a dead letter, at its first delivery."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stillframe.outcome import OutcomeKind
from tests.support.cloud import Cloud
from tests.support.fakes import SetClock, SetContext, ToldRenderer, capture_of, message

URL = "https://example.com/"


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "options",
    [
        {"delayMs": 10**50},
        {"delayMs": 1e300},
        {"": 1},
        {"a": {"": {}}},
        {"a": nested(40)},
        {"a": nested(400)},
        {"a": "x" * 500_000},
        {"a": ["", None, [], {}, 0.1 + 0.2]},
        {"a": "\x00\ufffe"},
    ],
    ids=lambda options: str(options)[:30],
)
def test_options_that_no_table_could_hold_end_in_a_record(cloud: Cloud, options: dict[str, Any]) -> None:
    # Given a request whose options DynamoDB would refuse (38 digits, 32 levels, 400 KB, named attributes)
    body = json.dumps({"url": URL, "requestId": "odd", "options": options})
    # When it is delivered
    outcome = capture_of(cloud.clients, cloud.settings, ToldRenderer(), SetClock()).handle(message(body), SetContext())
    # Then its record says what is wrong with it
    record = cloud.record("odd")
    assert (outcome.kind, outcome.acknowledge, outcome.reason) == (OutcomeKind.FAILED, True, "INVALID_REQUEST")
    assert record is not None
    assert (record.error_code, record.options) == ("INVALID_REQUEST", {})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=6,
)
bodies = (
    st.text()
    | json_values.map(json.dumps)
    | st.fixed_dictionaries(
        {"url": st.just(URL) | st.text()}, optional={"requestId": st.text() | st.just("same"), "options": json_values}
    ).map(json.dumps)
)


def is_message(body: str) -> bool:
    """Whether SQS would have taken the body in the first place (SendMessage, the characters of XML 1.0)."""
    return bool(body) and all(
        char in "\t\n\r" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char > "\uffff" for char in body
    )


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=bodies)
def test_any_body_is_accounted_for_at_its_first_delivery(cloud: Cloud, body: str) -> None:
    # Given / When any body
    worker = capture_of(cloud.clients, cloud.settings, ToldRenderer(), SetClock())
    outcome = worker.handle(message(body), SetContext())
    # Then it is captured, skipped, or failed with a record or a dead letter
    if outcome.kind is OutcomeKind.RETRY:
        # SQS takes neither such a body back nor would it ever have delivered it.
        assert not is_message(body)
    elif outcome.reason in ("UNPARSABLE_BODY", "ID_CONFLICT"):
        assert outcome.acknowledge
    else:
        assert cloud.record(outcome.id) is not None
