"""Chromium's CBOR: messages are decoded as JSON would be, however they arrive; a broken one ends the connection."""

from __future__ import annotations

import asyncio
import os
import struct
from typing import Any

import cbor2
import pytest

from stillframe_renderer.chromium.encoding import HEADER_BYTES, Binary, body_length, encode, parse_message
from stillframe_renderer.chromium.pipe import MessagePipe

MAP, ARRAY, END = b"\xbf", b"\x9f", b"\xff"


def enveloped(content: bytes) -> bytes:
    return b"\xd8\x18\x5a" + struct.pack(">I", len(content)) + content


def as_chromium(value: Any) -> bytes:
    """Encode like crdtp: non-ASCII text as UTF-16, every map and array in an envelope."""
    if isinstance(value, dict):
        items = b"".join(as_chromium(name) + as_chromium(each) for name, each in value.items())
        return enveloped(MAP + items + END)
    if isinstance(value, list):
        return enveloped(ARRAY + b"".join(map(as_chromium, value)) + END)
    if isinstance(value, bytes):
        return b"\xd6" + cbor2.dumps(value)
    if isinstance(value, str) and not value.isascii():
        return cbor2.dumps(value.encode("utf-16-le", "surrogatepass"))
    return cbor2.dumps(value)


def test_a_message_is_decoded_completely() -> None:
    # Given an event with every kind of value that it can hold
    params = {
        "text": "plain",
        "title": "Öre \U0001f600",
        "nested": {"list": [1, -70_000, 2.5, True, False, None, "é", {"größe": "ü"}]},
        "none": {},
        "long": "x" * 70_000,
    }
    raw = as_chromium({"method": "Page.event", "params": params, "sessionId": "A" * 32})
    # When it is parsed
    fields = parse_message(raw)
    # Then its outer fields are there at once, and its parameters once they are opened
    assert (fields["method"], fields["sessionId"]) == ("Page.event", "A" * 32)
    assert fields["params"].open() == params


def test_binary_data_stays_unchanged() -> None:
    # Given an answer with bytes that would be read as text if they were not marked as binary
    raw = as_chromium({"id": 70_000, "result": {"data": b"a\0b\0", "name": "é"}})
    # When it is parsed, then they stay bytes
    fields = parse_message(raw)
    assert fields["id"] == 70_000
    assert fields["result"].open() == {"data": Binary(b"a\0b\0"), "name": "é"}


def test_half_a_character_becomes_a_question_mark() -> None:
    raw = as_chromium({"method": "m", "params": {"a\udc00": ["x\ud800y"]}})
    assert parse_message(raw)["params"].open() == {"a?": ["x?y"]}


@pytest.mark.parametrize("session_id", [None, "B" * 32])
def test_a_command_has_the_form_that_chromium_accepts(session_id: str | None) -> None:
    # Given / When a command is encoded
    params = {"url": "http://a/", "list": [{"x": 1}], "on": True}
    raw = encode(300, "Page.navigate", params, session_id)
    # Then the outermost map and the parameters have indefinite length, each in an envelope
    assert body_length(raw[:HEADER_BYTES]) == len(raw) - HEADER_BYTES
    assert raw[HEADER_BYTES : HEADER_BYTES + 1] == MAP
    fields = parse_message(raw)
    assert (fields["id"], fields["method"], fields.get("sessionId")) == (300, "Page.navigate", session_id)
    assert fields["params"].content[:1] == MAP
    assert fields["params"].open() == params


def pass_through_pipe(chunks: list[bytes]) -> tuple[list[bytes], bool]:
    """The messages that a pipe makes of successive chunks, and whether it ended by itself."""

    async def feed() -> tuple[list[bytes], bool]:
        messages: list[bytes] = []
        ended = asyncio.Event()
        (command_in, command_out), (answer_in, answer_out) = os.pipe(), os.pipe()
        pipe = MessagePipe(messages.append, ended.set)
        await pipe.open(command_out, answer_in)
        for chunk in chunks:
            pipe.data_received(chunk)
        await asyncio.sleep(0.05)
        has_ended = ended.is_set()
        pipe.close()
        os.close(command_in)
        os.close(answer_out)
        return messages, has_ended

    return asyncio.run(feed())


MESSAGES = [as_chromium({"id": number, "result": {"data": b"x" * number}}) for number in (0, 1, 5000, 2, 70_000)]


@pytest.mark.parametrize("size", [1, 3, 7, 8, 4096, 1_000_000])
def test_messages_are_complete_however_they_arrive(size: int) -> None:
    # Given several messages, cut into pieces of one size
    stream = b"".join(MESSAGES)
    if size == 1:
        stream = b"".join(MESSAGES[:2])
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    # When they arrive one after the other, then every message is complete and the connection stays open
    messages, has_ended = pass_through_pipe(pieces)
    assert messages == (MESSAGES[:2] if size == 1 else MESSAGES)
    assert not has_ended


@pytest.mark.parametrize("garbage", [b'{"id": 1}\0', b"\xd8\x18\x5a\xff\xff\xff\xff"], ids=["JSON", "4 GB"])
def test_an_invalid_message_ends_the_connection(garbage: bytes) -> None:
    messages, has_ended = pass_through_pipe([MESSAGES[1] + garbage])
    assert messages == MESSAGES[1:2]
    assert has_ended


def test_invalid_cbor_is_a_value_error() -> None:
    fields = parse_message(enveloped(MAP + cbor2.dumps("params") + enveloped(b"\xbf\x61") + END))
    with pytest.raises(ValueError, match="a DevTools message is not valid CBOR"):
        fields["params"].open()
    with pytest.raises((ValueError, IndexError)):
        parse_message(enveloped(MAP + cbor2.dumps("id")))
