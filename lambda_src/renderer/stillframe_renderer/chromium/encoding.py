"""DevTools messages in CBOR (RFC 8949), which Chromium's pipe speaks as well as JSON.

An image comes as bytes. In JSON it is base64, which the browser makes and quotes a character at a time on its main
thread: 3 ms of an image of 600 KB.

Chromium has a form of its own (third_party/inspector_protocol/crdtp/cbor.h): maps and arrays are of indefinite length,
each in an envelope (tag 24, a byte string whose length has four bytes); what is binary has tag 22; other byte strings
are UTF-16, little-endian; integers have 32 bits. So a message can be told from its outermost map alone, and what is
in its envelopes is decoded only for those who ask.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import cbor2

ENVELOPE, BINARY = 24, 22
# Tag 24, then a byte string whose length follows.
ENVELOPE_START = b"\xd8\x18\x5a"
LENGTH_BYTES = 4
HEADER_BYTES = len(ENVELOPE_START) + LENGTH_BYTES
MAP, END = b"\xbf", b"\xff"
# Major types and what can be in the rest of their byte (RFC 8949, 3).
UNSIGNED, NEGATIVE, TEXT = 0, 1, 3
INLINE = 24

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Binary:
    """What is binary in the protocol. No subclass of bytes: that would be a copy more of an image."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A map or an array that is not decoded yet."""

    content: bytes

    def open(self) -> Any:
        """What is in it. Raises ValueError."""
        try:
            return _opened(self.content, False)
        except cbor2.CBORDecodeError as error:
            raise ValueError(f"a message cannot be read: {error}") from error


def encode(number: int, method: str, params: Fields, session_id: str | None) -> bytes:
    """A command. Maps and arrays inside its parameters need no envelope; integers have to fit 32 bits."""
    parts = [MAP, _string("id"), cbor2.dumps(number), _string("method"), _string(method)]
    parts += (_string("params"), _enveloped(cbor2.dumps(params, indefinite_containers=True)))
    if session_id is not None:
        parts += (_string("sessionId"), _string(session_id))
    return _enveloped(b"".join((*parts, END)))


def body_bytes(header: bytes) -> int:
    """How many bytes follow a header (HEADER_BYTES). Raises ValueError when it is none."""
    if not header.startswith(ENVELOPE_START):
        raise ValueError("the browser's pipe speaks no CBOR")
    return int.from_bytes(header[len(ENVELOPE_START) :], "big")


def fields_of(raw: bytes) -> Fields:
    """The outermost map of a message with its header; its values are strings, integers and envelopes.

    Raises ValueError or IndexError when it is none.
    """
    fields: Fields = {}
    position = HEADER_BYTES + len(MAP)
    while raw[position] != END[0]:
        name, position = _simple(raw, position)
        if raw[position] == ENVELOPE_START[0]:
            begin = position + HEADER_BYTES
            position = begin + body_bytes(raw[position:begin])
            fields[str(name)] = Envelope(raw[begin:position])
        else:
            fields[str(name)], position = _simple(raw, position)
    return fields


def _simple(raw: bytes, position: int) -> tuple[str | int, int]:
    """An integer or a string, and where the next item begins."""
    major, value = raw[position] >> 5, raw[position] & 31
    position += 1
    if value >= INLINE:
        width = 1 << (value - INLINE)
        value = int.from_bytes(raw[position : position + width], "big")
        position += width
    if major == UNSIGNED:
        return value, position
    if major == NEGATIVE:
        return -1 - value, position
    if major != TEXT:
        raise ValueError(f"a message of the browser has a value of major type {major}")
    return raw[position : position + value].decode(), position + value


def _enveloped(encoded: bytes) -> bytes:
    return ENVELOPE_START + len(encoded).to_bytes(LENGTH_BYTES, "big") + encoded


@functools.lru_cache(maxsize=256)
def _string(text: str) -> bytes:
    """Of names, which come again and again."""
    return cbor2.dumps(text)


def _opened(content: bytes, _: bool) -> Any:
    """A map or an array. Its strings are looked at only where one of them is not of ASCII, which is rare."""
    value = cbor2.loads(content, semantic_decoders=_DECODERS)
    if isinstance(value, dict):
        if bytes in map(type, value.values()) or bytes in map(type, value):
            return {_text(name): _text(each) for name, each in value.items()}
    elif isinstance(value, list) and bytes in map(type, value):
        return [_text(each) for each in value]
    return value


def _text(value: Any) -> Any:
    """Half a surrogate pair, of which a page may make its strings, becomes a question mark."""
    if type(value) is bytes:
        return value.decode("utf-16-le", "surrogatepass").encode(errors="replace").decode()
    return value


def _binary(content: bytes, _: bool) -> Binary:
    return Binary(content)


_DECODERS = {ENVELOPE: _opened, BINARY: _binary}
