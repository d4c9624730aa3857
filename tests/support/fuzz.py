"""Message bodies that nobody would send on purpose, generated from one seed."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterator
from typing import Any

URL = "https://example.com/"
KNOWN_OPTIONS = ("viewport", "deviceScaleFactor", "fullPage", "format", "quality", "waitUntil", "delayMs", "timeoutMs")
ODD_CHARACTERS = "\t\n\r \u00a0\u200b\u202e\ufeff\ufffd\u2028é漢🙂𝕏%\\\"'{}[]:,/?#@.-_"


def bodies(count: int, seed: int) -> Iterator[str]:
    """Generate bodies: broken JSON, wrong types, odd ids, URLs and options, reused ids, and some valid ones."""
    rng = random.Random(seed)
    makers = (_text, _broken, _wrong_shape, _odd_request, _odd_request, _odd_options, _odd_options, _good)
    for _ in range(count):
        yield rng.choice(makers)(rng)


def is_sendable(body: str) -> bool:
    """Whether SQS accepts the body (SendMessage: at least one character, only those of XML 1.0)."""
    return bool(body) and all(
        char in "\t\n\r" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char > "\uffff" for char in body
    )


def _characters(rng: random.Random, max_length: int = 40) -> str:
    alphabet = rng.choice((string.ascii_letters + string.digits, string.printable, ODD_CHARACTERS))
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(0, max_length)))


def _text(rng: random.Random) -> str:
    return _characters(rng, 200)


def _good(rng: random.Random) -> str:
    return json.dumps({"url": URL, "requestId": f"id-{rng.randint(0, 500)}"})


def _broken(rng: random.Random) -> str:
    """A body with a part cut out, doubled or replaced."""
    body = _odd_options(rng)
    at = rng.randint(0, len(body))
    to = min(len(body), at + rng.randint(0, 12))
    return body[:at] + rng.choice(("", body[at:to] * 2, _characters(rng, 5))) + body[to:]


def _wrong_shape(rng: random.Random) -> str:
    return json.dumps(_value(rng, 3), ensure_ascii=rng.random() < 0.5)


def _odd_request(rng: random.Random) -> str:
    """An object whose members are odd, missing or unknown."""
    body: dict[str, Any] = {}
    if rng.random() < 0.9:
        body["url"] = rng.choice((URL, URL + _characters(rng), _characters(rng), "file:///etc/passwd", "http://[::1"))
    if rng.random() < 0.7:
        body["requestId"] = rng.choice(
            ("same", f"id-{rng.randint(0, 500)}", _characters(rng), "." + _characters(rng), "x" * rng.randint(127, 130))
        )
    if rng.random() < 0.2:
        body[_characters(rng, 8)] = _value(rng, 2)
    if rng.random() < 0.1:
        body[rng.choice(tuple(body) or ("url",))] = _value(rng, 1)
    return json.dumps(body, ensure_ascii=rng.random() < 0.5)


def _odd_options(rng: random.Random) -> str:
    """Options out of their range, of the wrong type, unknown, or in conflict."""
    names = (*KNOWN_OPTIONS, _characters(rng, 8))
    options = {rng.choice(names): _value(rng, rng.choice((1, 2, 60))) for _ in range(rng.randint(0, 3))}
    # A unique id, so that its record can be looked up.
    return json.dumps({"url": URL, "requestId": f"options-{rng.getrandbits(64):x}", "options": options})


def _value(rng: random.Random, depth: int) -> Any:
    if depth > 20:
        # Deeper than any table's nesting.
        return {"a": _value(rng, depth - 1)}
    kinds = ("none", "bool", "int", "float", "text") + (("list", "dict") * 2 if depth > 0 else ())
    match rng.choice(kinds):
        case "none":
            return None
        case "bool":
            return rng.random() < 0.5
        case "int":
            return rng.choice((0, -1, 1, 1280, 10**50, rng.getrandbits(200), rng.randint(-(10**6), 10**6)))
        case "float":
            return rng.choice((0.1, -0.0, 1e300, 5e-324, rng.uniform(-1e6, 1e6)))
        case "list":
            return [_value(rng, depth - 1) for _ in range(rng.randint(0, 3))]
        case "dict":
            return {_characters(rng, 8): _value(rng, depth - 1) for _ in range(rng.randint(0, 3))}
    return _characters(rng)
