"""Freshness by naming: windows of each payload, and an id that every delivery of a message agrees on."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillframe.request.capture_request import CaptureRequest
from stillframe.request.dead_letter import redriven_letter
from stillframe.request.event_record import read_record
from stillframe.request.freshness import Window
from stillframe.request.message import Delivery, Message
from stillframe.request.options.wire import ID_PATTERN

NOW = 1_780_000_000_000
MINUTE = CaptureRequest(url="https://example.com/", fresh_for=60)

hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
lengths = st.integers(60, 31_536_000)
moments = st.integers(1, 4_000_000_000_000)


def record(body: str, sent_at: int, **attributes: str) -> dict[str, Any]:
    return {
        "messageId": "m-1",
        "receiptHandle": "handle",
        "body": body,
        "attributes": {"SentTimestamp": str(sent_at), "ApproximateReceiveCount": "1"},
        "messageAttributes": {name: {"stringValue": value} for name, value in attributes.items()},
    }


def delivery(message: Message) -> Delivery:
    return Delivery.parse(message)


@given(hashes, lengths, moments)
def test_a_moment_lies_in_its_window_and_windows_follow_each_other(payload: str, seconds: int, at_ms: int) -> None:
    # Given / When the window of a moment
    window = Window.at(payload, seconds, at_ms)
    # Then it contains the moment, is as long as was asked for, and the next one begins where it ends
    assert window.begins_ms <= at_ms < window.ends_ms
    assert window.ends_ms - window.begins_ms == seconds * 1000
    assert Window.at(payload, seconds, window.ends_ms) == replace(window, number=window.number + 1)
    # And all of its moments have one id, which a message may name
    assert Window.at(payload, seconds, window.begins_ms).id == Window.at(payload, seconds, window.ends_ms - 1).id
    assert CaptureRequest(url="https://example.com/", request_id=window.id).id == window.id
    assert ID_PATTERN


def test_windows_of_different_payloads_do_not_end_at_once() -> None:
    # Given / When a thousand pages whose windows are an hour long
    ends = {
        Window.at(CaptureRequest(url=f"https://example.com/{number}").payload_hash, 3600, NOW).ends_ms // 60_000
        for number in range(1000)
    }
    # Then they end in every minute of the hour
    assert len(ends) >= 60


def test_windows_of_different_lengths_never_share_an_id() -> None:
    ids = {Window.at("ab" * 32, seconds, NOW + minute * 60_000).id for seconds in (60, 61) for minute in range(600)}
    assert len(ids) >= 1190


@pytest.mark.parametrize("fields", [{"request_id": "mine"}, {"fresh_for": None}], ids=["own id", "no freshness"])
def test_a_request_with_an_id_keeps_it(fields: dict[str, Any]) -> None:
    request = MINUTE.model_copy(update=fields)
    assert request.named(NOW).id == request.id


def test_a_request_without_a_moment_has_no_id() -> None:
    with pytest.raises(ValueError, match="sent"):
        _ = MINUTE.id


def test_every_delivery_of_a_message_is_of_the_same_screenshot() -> None:
    # Given a message, received at once and again two hours later
    first = delivery(read_record(record(MINUTE.to_body(), NOW), NOW + 5))
    again = delivery(read_record(record(MINUTE.to_body(), NOW), NOW + 7_200_000))
    # Then both have the id of the window in which it was sent
    assert first.id == again.id == MINUTE.named(NOW).id


@pytest.mark.parametrize("copy", [Message.copy_attributes, Message.spared_attributes, Message.letter_attributes])
def test_the_copy_of_a_message_is_of_the_same_screenshot(copy: Any) -> None:
    # Given a message that is replaced by a copy, an hour later
    message = read_record(record(MINUTE.to_body(), NOW), NOW)
    attributes = {name: each["StringValue"] for name, each in copy(message).items()}
    # When the copy is received, and copied once more
    second = read_record(record(MINUTE.to_body(), NOW + 3_600_000, **attributes), NOW + 3_600_000)
    attributes = {name: each["StringValue"] for name, each in copy(second).items()}
    third = read_record(record(MINUTE.to_body(), NOW + 9_600_000, **attributes), NOW + 9_600_000)
    # Then each is the screenshot of the first
    assert delivery(second).id == delivery(third).id == delivery(message).id


def test_a_redriven_letter_is_of_the_same_screenshot() -> None:
    # Given a message that SQS has moved to the dead-letter queue, with the time when it was sent
    letter = redriven_letter(MINUTE.to_body(), {}, "m-1", NOW)
    attributes = {name: each["StringValue"] for name, each in letter.attributes.items()}
    # When it is sent again a day later
    again = read_record(record(letter.body, NOW + 86_400_000, **attributes), NOW + 86_400_000)
    # Then
    assert delivery(again).id == MINUTE.named(NOW).id


@pytest.mark.parametrize("sent_at", [str(NOW + 86_400_000), "0", "-5", "soon", "9" * 5000])
def test_nobody_names_a_window_that_is_not_there_yet(sent_at: str) -> None:
    # Given a message whose sender claims that it was sent at another time than SQS says
    message = read_record(record(MINUTE.to_body(), NOW, sentAt=sent_at), NOW)
    # Then SQS is believed
    assert delivery(message).id == MINUTE.named(NOW).id


def test_a_message_whose_freshness_is_not_asked_for_has_no_further_attribute() -> None:
    message = read_record(record(json.dumps({"url": "https://example.com/"}), NOW), NOW)
    assert "sentAt" not in message.copy_attributes()


@pytest.mark.parametrize("name", ["postponed", "receivedBefore", "spared"])
def test_a_number_of_thousands_of_digits_harms_nobody(name: str) -> None:
    # Given an attribute that anybody may set
    message = read_record(record(MINUTE.to_body(), NOW, **{name: "9" * 5000}), NOW)
    # Then the record is read like any other
    assert delivery(message).request.url == "https://example.com/"
    system = {**record("{}", NOW), "attributes": {"ApproximateReceiveCount": "9" * 5000}}
    assert read_record(system, NOW).receive_count == 2
