"""The request: its id, its canonical form, and what is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillframe.errors import InvalidRequest, PermanentError, UnparsableBody
from stillframe.request.capture_request import CaptureRequest

URL = "https://example.com/"


@pytest.mark.parametrize("request_id", ["a", "order-42", "A.b_c:d-e", "_", ":", "-", "x" * 128])
def test_a_valid_request_id_becomes_the_screenshot_id(request_id: str) -> None:
    assert CaptureRequest.from_body(json.dumps({"url": URL, "requestId": request_id})).id == request_id


@pytest.mark.parametrize("request_id", ["", ".", ".a", "a b", "a/b", "é", "a\n", "x" * 129, "a\u0000", 5, True, []])
def test_an_invalid_request_id_is_refused(request_id: object) -> None:
    with pytest.raises(UnparsableBody, match="requestId"):
        CaptureRequest.from_body(json.dumps({"url": URL, "requestId": request_id}))


def test_the_same_request_has_the_same_id_however_it_is_written() -> None:
    # Given one request, written in four forms
    forms = [
        '{"url": "https://example.com/", "options": {"format": "jpeg", "quality": 80}}',
        '{"options": {"quality": 80, "format": "jpeg"}, "url": "https://example.com/"}',
        '{"url": "https://example.com/", "options": {"format": "jpeg", "quality": 80, "fullPage": false}}',
        '{"url": "https://example.com/", "options": {"format": "jpeg", "quality": 80, "viewport": {}}}',
    ]
    # Then all have the same id, a SHA-256
    ids = {CaptureRequest.from_body(form).id for form in forms}
    assert len(ids) == 1
    assert len(ids.pop()) == 64


def test_other_options_or_another_url_give_another_id() -> None:
    requests = [
        CaptureRequest(url=URL),
        CaptureRequest(url=URL + "a"),
        CaptureRequest(url=URL, options={"fullPage": True}),
        CaptureRequest(url=URL, options={"nonsense": True}),
    ]
    assert len({request.id for request in requests}) == len(requests)


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1",
        "http://example.com:99999/",
        "https://",
        "https:///path",
        "https://example.com/a b",
        "https://example.com/\t",
        "https://example.com/\n",
    ],
)
def test_an_unusable_url_is_an_invalid_request(url: str) -> None:
    with pytest.raises(InvalidRequest, match="url"):
        CaptureRequest(url=url).render_options()


def test_a_body_survives_a_round_trip() -> None:
    request = CaptureRequest(url="https://example.com/é?q=世界", request_id="x", options={"delayMs": 5})
    assert CaptureRequest.from_body(request.to_body()) == request


@given(st.text())
def test_any_text_is_a_request_or_is_refused_as_unparsable(body: str) -> None:
    try:
        request = CaptureRequest.from_body(body)
    except UnparsableBody:
        return
    assert request.id


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {"url": json_values | st.just(URL)}, optional={"requestId": json_values, "options": json_values}
    )
)
def test_any_json_is_a_request_or_is_refused(body: object) -> None:
    # Given any JSON, when it is read, then it is a request whose options can be checked, or it is refused on purpose
    try:
        request = CaptureRequest.from_body(json.dumps(body))
        assert len(request.payload_hash) == 64
        request.render_options()
    except PermanentError:
        return
