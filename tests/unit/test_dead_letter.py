"""Messages that are written on behalf of another: they keep to the limits of SQS."""

from __future__ import annotations

import random
from typing import Any

import pytest

from stillframe.errors import IdConflict, UnparsableBody
from stillframe.request.dead_letter import letter_with_reason, original_body, redriven_letter
from stillframe.request.message import Message, string_attributes
from stillframe.request.message_limits import MAX_ATTRIBUTES, MAX_MESSAGE_BYTES, free_bytes

REASON = UnparsableBody("the body is not JSON: " + "é" * 200)
FULL = string_attributes({f"h{number}": "value" for number in range(MAX_ATTRIBUTES)})


def text_of(letter_attributes: dict[str, Any]) -> dict[str, str]:
    return {name: each["StringValue"] for name, each in letter_attributes.items() if "StringValue" in each}


@pytest.mark.parametrize(
    ("room", "kept_chars", "is_packed"),
    [
        (10_000, 222, False),
        # Exactly enough for the whole reason, and one byte less: half of the last character is cut with it.
        (494, 222, False),
        (493, 221, False),
        # Exactly enough for the shortest useful message, and one byte less.
        (112, 31, False),
        (111, 222, True),
        (0, 222, True),
    ],
)
def test_a_dead_letter_keeps_its_reason_whatever_the_size_of_its_body(
    room: int, kept_chars: int, is_packed: bool
) -> None:
    # Given a body that leaves this much room
    body = "x" * (MAX_MESSAGE_BYTES - room)
    # When it becomes a dead letter
    letter = letter_with_reason(body, REASON, "m-1")
    # Then SQS accepts it, with its code, and with as much of the error message as there is room for
    texts = text_of(letter.attributes)
    assert letter.is_sendable
    assert (texts["errorCode"], texts["sourceMessageId"]) == ("UNPARSABLE_BODY", "m-1")
    assert texts["errorMessage"] == REASON.message[:kept_chars]
    # And nothing of the body is lost
    assert (letter.body != body) is is_packed
    assert original_body(letter.body, letter.attributes) == body


@pytest.mark.parametrize("alphabet", ["".join(map(chr, range(32, 127))), "".join(map(chr, range(32, 0xD800)))])
def test_a_body_of_random_text_makes_room_for_its_reason(alphabet: str) -> None:
    # Given text without any repetition, as long as SQS permits
    text = "".join(random.Random(1).choices(alphabet, k=MAX_MESSAGE_BYTES))
    body = text.encode()[:MAX_MESSAGE_BYTES].decode(errors="ignore")
    # When it becomes a dead letter, then it has its whole reason and its whole body
    letter = letter_with_reason(body, IdConflict("x" * 500), "m-1")
    assert letter.is_sendable
    assert len(text_of(letter.attributes)["errorMessage"]) == 500
    assert original_body(letter.body, letter.attributes) == body


@pytest.mark.parametrize(
    ("attributes", "kept"),
    [
        ({}, {"redrivenFrom"}),
        (string_attributes({"a": "1", "receivedBefore": "3", "postponed": "2", "firstMessageId": "m-0"}),
         {"a", "postponed", "firstMessageId", "redrivenFrom"}),
        ({**FULL}, {"redrivenFrom", *(f"h{number}" for number in range(9))}),
        ({**{f"h{number}": FULL[f"h{number}"] for number in range(9)}, **string_attributes({"redrivenFrom": "old"})},
         {"redrivenFrom", *(f"h{number}" for number in range(9))}),
        ({**{f"h{number}": FULL[f"h{number}"] for number in range(8)}, **string_attributes({"postponed": "2"})},
         {"redrivenFrom", "postponed", *(f"h{number}" for number in range(8))}),
    ],
)  # fmt: skip
def test_a_redriven_letter_has_at_most_ten_attributes(attributes: dict[str, Any], kept: set[str]) -> None:
    letter = redriven_letter("{}", attributes, "m-1", 1_000)
    assert letter.attributes.keys() == kept
    assert letter.attributes["redrivenFrom"]["StringValue"] == "m-1"
    assert len(letter.attributes) <= MAX_ATTRIBUTES


def test_a_redriven_letter_leaves_out_the_attributes_for_which_there_is_no_room() -> None:
    # Given a body with room for the mark and one more attribute
    attributes = string_attributes({"large": "x" * 100, "small": "x"})
    body = "x" * (MAX_MESSAGE_BYTES - len("redrivenFromStringm-1") - len("smallStringx"))
    # When it is redriven, then it has those, and exactly fills the message
    letter = redriven_letter(body, attributes, "m-1", 1_000)
    assert letter.attributes.keys() == {"redrivenFrom", "small"}
    assert free_bytes(letter.body, letter.attributes) == 0


def test_binary_attributes_count_by_their_bytes() -> None:
    attributes = {"b": {"DataType": "Binary", "BinaryValue": b"\xff\x00\xfe"}}
    assert MAX_MESSAGE_BYTES - free_bytes("é", attributes) == 2 + 1 + 6 + 3


@pytest.mark.parametrize(("spare", "has_room"), [(0, True), (-1, False)])
def test_a_message_has_room_for_a_copy_or_not(spare: int, has_room: bool) -> None:
    # Given the attributes of a copy, which do not depend on the body
    def message(body: str) -> Message:
        return Message(body, "m-1", "handle", 1, 0, 0)

    own = MAX_MESSAGE_BYTES - free_bytes("", message("").copy_attributes())
    # Then a body that fills the message with them has room for a copy, and a longer one has not
    assert message("x" * (MAX_MESSAGE_BYTES - own - spare)).has_room_for_copy is has_room
