"""Records of Lambda's event: whatever they look like, a message comes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stillframe.errors import UnreadableRecord
from stillframe.request.event_record import read_record, record_attributes
from stillframe.request.message import Delivery
from tests.support.events import event_of

RECEIVED_MS = 1_800_000_000_000
BODY = '{"url": "https://example.com/", "requestId": "a"}'


def record(**changes: Any) -> dict[str, Any]:
    (example,) = event_of(BODY)["Records"]
    changed = {**example, **changes}
    return {name: value for name, value in changed.items() if value != "absent"}


def test_the_record_of_the_documentation_is_read() -> None:
    message = read_record(record(), RECEIVED_MS)
    assert (message.body, message.message_id, message.receipt_handle) == (BODY, "message-0", "handle-0")
    assert (message.receive_count, message.sent_at_ms, message.received_at_ms) == (1, 1545082649183, RECEIVED_MS)
    assert (message.group_id, message.defect) == (None, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183"}},
        {"messageAttributes": None},
        {"messageAttributes": "absent"},
        {"messageAttributes": {"trace": None}},
        {"messageAttributes": {"trace": {"dataType": "Binary", "binaryValue": "Cv/+gA==", "stringValue": None}}},
        {"messageAttributes": {"trace": {"dataType": "Number.float", "stringValue": "1.5"}}},
        {"messageAttributes": {"trace": {"dataType": "Binary.gzip", "binaryValue": "not base64"}}},
        {"md5OfBody": None, "awsRegion": "absent", "eventSourceARN": 5, "somethingNew": {}},
    ],
)
def test_what_a_capture_does_not_need_may_be_odd_or_absent(changes: dict[str, Any]) -> None:
    # Given / When a record with something odd in it, then its request is read as any other
    message = read_record(record(**changes), RECEIVED_MS)
    assert Delivery.parse(message).id == "a"
    assert (message.receive_count, message.sent_at_ms) == (1, 1545082649183)


@pytest.mark.parametrize(
    "attributes", [None, "absent", {}, {"ApproximateReceiveCount": "often", "SentTimestamp": None}]
)
def test_without_a_receive_count_a_message_may_have_held_a_claim(attributes: Any) -> None:
    # Acknowledging it as a fresh duplicate could lose the screenshot.
    message = read_record(record(attributes=attributes), RECEIVED_MS)
    assert message.may_have_held
    assert message.sent_at_ms == RECEIVED_MS


def test_marks_of_the_project_are_read_from_text_attributes() -> None:
    marks = {"redrivenFrom": "m-0", "postponed": "3", "firstMessageId": "m-0", "receivedBefore": "2"}
    given = {name: {"dataType": "String", "stringValue": value} for name, value in marks.items()}
    message = read_record(record(messageAttributes=given), RECEIVED_MS)
    assert (message.is_redriven, message.waits, message.first_message_id, message.receive_count) == (True, 3, "m-0", 3)


@pytest.mark.parametrize(
    ("odd", "message_id", "words"),
    [
        (None, "", "messageId as text, which is missing"),
        ("text", "", "messageId as text, which is missing"),
        (record(body={"url": "https://example.com/"}), "message-0", "body as text, which is dict"),
        (record(body="absent"), "message-0", "body as text, which is missing"),
        (record(messageId=7), "", "messageId as text, which is int"),
    ],
)
def test_a_record_that_is_no_message_has_a_defect_and_itself_as_its_body(odd: Any, message_id: str, words: str) -> None:
    # Given / When a record that is no SQS message
    message = read_record(odd, RECEIVED_MS)
    # Then its defect says what is wrong, and nothing of it is lost
    with pytest.raises(UnreadableRecord, match=words):
        Delivery.parse(message)
    assert message.message_id == message_id
    assert json.loads(message.body) == odd


def test_binary_attributes_are_in_base64_as_lambda_has_them() -> None:
    received = {
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x0a\xff\xfe\x80"},
        "text": {"DataType": "String", "StringValue": "v"},
    }
    given = record_attributes(received)
    assert (given["bytes"]["binaryValue"], given["bytes"]["stringValue"]) == ("Cv/+gA==", None)
    assert (given["text"]["binaryValue"], given["text"]["stringValue"]) == (None, "v")
    json.dumps(given)
