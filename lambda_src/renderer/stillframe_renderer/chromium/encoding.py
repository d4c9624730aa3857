"""DevTools messages in CBOR (RFC 8949), which Chromium's pipe supports as well as JSON.

In CBOR an image is sent as bytes. In JSON it is base64, which the browser encodes and escapes character by character on
its main thread: 3 ms for an image of 600 KB.

Chromium uses a dialect (third_party/inspector_protocol/crdtp/cbor.h): maps and arrays have indefinite length, each in
an envelope (tag 24, a byte string with a four-byte length); binary values have tag 22; other byte strings are UTF-16,
little-endian; integers have 32 bits. So the outermost map is enough to route a message, and the contents of its
envelopes are decoded only when they are needed.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import cbor2

ENVELOPE_TAG, BINARY_TAG = 24, 22
# Tag 24, then a byte string whose length follows.
ENVELOPE_START = b"\xd8\x18\x5a"
LENGTH_BYTES = 4
HEADER_BYTES = len(ENVELOPE_START) + LENGTH_BYTES
MAP, END = b"\xbf", b"\xff"
# The part of a body that is sure to contain its first field: its name, and the longest method name.
PREFIX_BYTES = 96
# Major types, and the additional information from which on the argument is in the bytes that follow (RFC 8949, 3).
UNSIGNED, NEGATIVE, TEXT = 0, 1, 3
ARGUMENT_FOLLOWS = 24

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Binary:
    """A binary value. Not a subclass of bytes, which would copy the image once more."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A map or an array that has not been decoded yet."""

    content: bytes

    def open(self) -> Any:
        """Decode the content. Raises ValueError if it is not valid CBOR."""
        try:
            return _decode_container(self.content, False)
        except cbor2.CBORDecodeError as error:
            raise ValueError(f"a DevTools message is not valid CBOR: {error}") from error


def encode(number: int, method: str, params: Fields, session_id: str | None) -> bytes:
    """Encode a command. Maps and arrays inside its parameters need no envelope; integers must fit into 32 bits."""
    parts = [MAP, _encode_name("id"), cbor2.dumps(number), _encode_name("method"), _encode_name(method)]
    parts += (_encode_name("params"), _envelop(cbor2.dumps(params, indefinite_containers=True)))
    if session_id is not None:
        parts += (_encode_name("sessionId"), _encode_name(session_id))
    return _envelop(b"".join((*parts, END)))


def body_length(header: bytes) -> int:
    """The number of bytes that follow a header of HEADER_BYTES bytes. Raises ValueError if it is not a header."""
    if not header.startswith(ENVELOPE_START):
        raise ValueError("the browser's pipe does not use CBOR")
    return int.from_bytes(header[len(ENVELOPE_START) :], "big")


def parse_message(raw: bytes) -> Fields:
    """Parse the outermost map of a message, header included. Its values are strings, integers and envelopes.

    Raises ValueError or IndexError if the message is malformed.
    """
    fields: Fields = {}
    position = HEADER_BYTES + len(MAP)
    while raw[position] != END[0]:
        name, position = _decode_scalar(raw, position)
        if raw[position] == ENVELOPE_START[0]:
            begin = position + HEADER_BYTES
            position = begin + body_length(raw[position:begin])
            fields[str(name)] = Envelope(raw[begin:position])
        else:
            fields[str(name)], position = _decode_scalar(raw, position)
    return fields


def first_field(prefix: bytes) -> tuple[str, str | int]:
    """The name and value of a message's first field, given its header and at least PREFIX_BYTES of its body.

    The first field is the id of an answer, or the method of an event. Raises ValueError or IndexError if the message is
    malformed.
    """
    name, position = _decode_scalar(prefix, HEADER_BYTES + len(MAP))
    value, _ = _decode_scalar(prefix, position)
    return str(name), value


def _decode_scalar(raw: bytes, position: int) -> tuple[str | int, int]:
    """Decode an integer or a string. Returns it with the position of the next item."""
    major, value = raw[position] >> 5, raw[position] & 31
    position += 1
    if value >= ARGUMENT_FOLLOWS:
        width = 1 << (value - ARGUMENT_FOLLOWS)
        value = int.from_bytes(raw[position : position + width], "big")
        position += width
    if major == UNSIGNED:
        return value, position
    if major == NEGATIVE:
        return -1 - value, position
    if major != TEXT:
        raise ValueError(f"a DevTools message has a value of major type {major}, expected an integer or a string")
    return raw[position : position + value].decode(), position + value


def _envelop(encoded: bytes) -> bytes:
    return ENVELOPE_START + len(encoded).to_bytes(LENGTH_BYTES, "big") + encoded


@functools.lru_cache(maxsize=256)
def _encode_name(text: str) -> bytes:
    """Encode a string that is sent again and again, such as a field or method name."""
    return cbor2.dumps(text)


def _decode_container(content: bytes, _: bool) -> Any:
    """Decode a map or an array. Its strings are processed only if one of them is not ASCII, which is rare."""
    value = cbor2.loads(content, semantic_decoders=_DECODERS)
    if isinstance(value, dict):
        if bytes in map(type, value.values()) or bytes in map(type, value):
            return {_decode_text(name): _decode_text(each) for name, each in value.items()}
    elif isinstance(value, list) and bytes in map(type, value):
        return [_decode_text(each) for each in value]
    return value


def _decode_text(value: Any) -> Any:
    """Decode a UTF-16 string; other values are returned unchanged. A lone surrogate becomes a question mark."""
    if type(value) is bytes:
        return value.decode("utf-16-le", "surrogatepass").encode(errors="replace").decode()
    return value


def _decode_binary(content: bytes, _: bool) -> Binary:
    return Binary(content)


_DECODERS = {ENVELOPE_TAG: _decode_container, BINARY_TAG: _decode_binary}
