"""What a refusal says: the option as it was sent and what it may be, in plain words, each mistake once."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from stillframe.errors import InvalidRequest, UnparsableBody
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options import RenderOptions

# Words of the validator, which mean nothing to who sent the request.
FOREIGN = (
    "Input",
    "String",
    "instance of",
    "constrained",
    "function-",
    "lax-or-strict",
    "tuple",
    "dictionary",
    "Field",
)
MAX_CHARS = 200


def refusal(options: dict[str, Any]) -> str:
    with pytest.raises(InvalidRequest) as refused:
        RenderOptions.parse(options)
    message = refused.value.message
    assert [word for word in FOREIGN if word in message] == []
    return message.removeprefix("options: ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        # Options that take one of several types.
        ({"headers": {"X-A": 1}}, "headers.X-A: must be text, or an object with secretArn and key"),
        ({"headers": {"X-A": None}}, "headers.X-A: must be text, or an object with secretArn and key"),
        ({"headers": {"X-A": {"secretArn": "x"}}}, "headers.X-A.secretArn: must be the ARN of a secret in AWS Secrets"),
        ({"headers": ["X-A"]}, "headers: must be an object of up to 32 names"),
        ({"basicAuth": {"username": "u", "password": 3}}, "basicAuth.password: must be text, or an object with"),
        ({"cookies": [{"name": "a", "value": 1}]}, "cookies.0.value: must be text, or an object with secretArn and"),
        ({"scrollTo": True}, "scrollTo: must be a CSS selector of 1 to 1000 characters, or a whole number (range 0 to"),
        ({"scrollTo": -1}, "scrollTo: must be a CSS selector of 1 to 1000 characters, or a whole number (range 0 to"),
        # Limits and types.
        ({"device_scale_factor": 9}, "device_scale_factor: must be a number (range 0.5 to 4)"),
        ({"viewport": "1280x800"}, "viewport: must be an object with width and height"),
        ({"geolocation": {"latitude": 91, "longitude": 0}}, "geolocation.latitude: must be a number (range -90 to 90)"),
        ({"fullPage": 1}, "fullPage: must be true or false"),
        ({"hide": ".a"}, "hide: must be a list of up to 100, each a CSS selector of 1 to 1000 characters"),
        ({"save": ["pdf"]}, "save.0: must be one of html, text, mhtml, har"),
        ({"thumbnail": {"format": "avif"}}, "thumbnail.format: must be one of webp, jpeg, png"),
        ({"css": "x" * 50_001}, "css: must be text of up to 50000 characters"),
        ({"locale": "german"}, "locale: must be a BCP 47 tag like de-DE"),
        ({"clip": {"width": 1}}, "clip.height is missing: it must be a whole number (range 1 to 60000)"),
        # Unknown names.
        ({"fullpage": True}, "fullpage is not an option; did you mean fullPage?"),
        ({"full-page": True}, "full-page is not an option; did you mean fullPage?"),
        ({"colour": 1}, "colour is not an option; see docs/options.md"),
        ({"viewport": {"widht": 800}}, "viewport.widht is not an option; did you mean width?"),
        ({"viewport": {"depth": 1}}, "viewport.depth is not an option; expected width, height"),
        ({"headers": {"X-A": {"secretarn": "x"}}}, "headers.X-A.secretarn is not an option; did you mean secretArn?"),
        ({"basicAuth": {"user": "u", "password": "p"}}, "basicAuth.user is not an option; did you mean username?"),
        # Conflicts.
        ({"format": "pdf", "quality": 50}, "quality and format conflict: pdf has no quality, use jpeg, webp or avif"),
        ({"format": "png", "quality": 50}, "quality and format conflict: png has no quality, use jpeg, webp or avif"),
        ({"format": "pdf", "clip": {"width": 9, "height": 9}}, "clip and format conflict: a pdf always contains the"),
        ({"format": "pdf", "fullPage": True}, "fullPage and format conflict: a pdf always contains the whole page"),
        ({"format": "jpeg", "omitBackground": True}, "omitBackground and format conflict: jpeg has no transparency"),
        (
            {"headers": {"authorization": "x"}, "basicAuth": {"username": "u", "password": "p"}},
            "basicAuth and headers.a",
        ),
        ({"maxPixels": 1000}, "maxPixels: the window has 1,024,000 pixels, more than the limit of 1,000"),
        ({"maskColor": "#ffffff"}, "maskColor needs mask"),
        ({"blurRadius": 5}, "blurRadius needs blur"),
        ({"mask": ["a"], "maskColor": "magenta"}, "maskColor: must be a colour like #FF00FF, in hex"),
        # What a preset or a device has set.
        ({"preset": "archive", "selector": "a"}, "selector and fullPage (of preset archive) conflict"),
        ({"preset": "archive", "format": "png"}, "quality (of preset archive) and format conflict: png has no quality"),
        ({"preset": "archive", "fullPage": False}, "maxHeight (of preset archive) needs fullPage"),
        ({"preset": "print", "thumbnail": {}}, "thumbnail and format (of preset print) conflict"),
        (
            {"device": "desktop-4k", "deviceScaleFactor": 4},
            "viewport (of device desktop-4k) and deviceScaleFactor conf",
        ),
    ],
)
def test_a_refusal_names_the_option_as_sent_and_what_it_may_be(options: dict[str, Any], message: str) -> None:
    # Given / When a request with one mistake is refused
    found = refusal(options)
    # Then the message says so in few words, and only once
    assert found.startswith(message)
    assert (len(found) <= MAX_CHARS, "; " in found.replace("; did", "").replace("; exp", "").replace("; see", "")) == (
        True,
        False,
    )


@pytest.mark.parametrize(
    ("options", "absent"),
    [
        ({"format": "pdf", "clip": {"width": 9, "height": 9}}, "selector"),
        ({"format": "pdf", "quality": 50}, "png"),
        ({"maxPixels": 1000}, "viewport"),
        ({"selector": "a", "clip": {"width": 9, "height": 9}}, "fullPage"),
        ({"headers": {"X-A": "s3cret\n"}}, "s3cret"),
    ],
)
def test_a_refusal_names_nothing_that_was_not_sent_and_quotes_no_value(options: dict[str, Any], absent: str) -> None:
    assert absent not in refusal(options)


def test_a_request_with_very_many_mistakes_is_refused_at_once() -> None:
    # Given a request with as many mistakes as a message has room for
    options = {f"x{n}": 1 for n in range(20_000)}
    # When it is refused, then that takes no longer than reading it
    started = time.process_time()
    refusal(options)
    assert time.process_time() - started < 2


def test_an_unknown_name_is_cut() -> None:
    assert len(refusal({"x" * 5000: 1})) < MAX_CHARS
    assert len(refusal({"viewport": {"x" * 5000: 1}})) < MAX_CHARS


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"requestID": "a"}, "requestID is not a field; did you mean requestId?"),
        ({"tenant": "!"}, "tenant: must be 1 to 128 of A-Z a-z 0-9 . _ : @ / -"),
        ({"freshFor": 1}, "freshFor: must be a whole number (range 60 to 31536000)"),
        ({"webhook": {"url": "ftp://x"}}, "webhook.url: must be an http or https URL of up to 2048 characters"),
        ({"options": []}, "options: must be an object"),
    ],
)
def test_the_envelope_is_refused_in_the_same_words(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(UnparsableBody) as refused:
        CaptureRequest.from_body(json.dumps({"url": "https://example.com", **fields}))
    assert refused.value.message.startswith(message)
