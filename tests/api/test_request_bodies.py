"""What a body may be, and the id in its header: each request is accepted or refused with its reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stillframe_api.bodies import MAX_BODY_BYTES
from tests.support.cloud import Cloud

from .conftest import Client

URL = "https://example.com/"


def test_the_idempotency_key_is_the_id(client: Client) -> None:
    assert client.post({"url": URL}, Idempotency_Key="key-1").json["id"] == "key-1"
    assert client.post({"url": URL, "requestId": "key-1"}, Idempotency_Key="key-1").status == 202
    # And as the draft writes it ("The Idempotency-Key HTTP Header Field", 2.1)
    assert client.post({"url": URL}, Idempotency_Key='"key-1"').json["id"] == "key-1"
    assert client.post({"url": URL}, Idempotency_Key='"key-1').status == 400


def test_what_the_document_cannot_say_of_a_webhook_is_422(client: Client) -> None:
    # Given a webhook of the right form whose host is no address, when it is sent alone and in a list
    request = {"url": URL, "webhook": {"url": "https://[1:2/"}}
    alone, listed = client.post(request), client.post([request])
    # Then it is refused as what cannot be meant, and not as what has the wrong form
    assert alone.problem == (422, "INVALID_REQUEST", "webhook.url: Invalid IPv6 URL")
    assert (listed.status, "422" in listed.body.decode()) == (207, True)
    assert client.post({"url": URL, "webhook": {"url": 5}}).status == 400


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        ({"url": URL, "requestId": "another"}, 422, "INVALID_REQUEST", "requestId"),
        ([{"url": URL}], 422, "INVALID_REQUEST", "in a list"),
        ({"url": "https://other.example/"}, 409, "ID_CONFLICT", "another URL or other options"),
        ({"url": URL, "options": {"fullPage": True}}, 409, "ID_CONFLICT", "another URL or other options"),
    ],
)
def test_a_key_of_another_request_is_a_conflict(client: Client, body: Any, status: int, code: str, words: str) -> None:
    # Given a request with a key
    client.post({"url": URL}, Idempotency_Key="key-1")
    # When the key comes with something else, then that is refused
    problem = client.post(body, Idempotency_Key="key-1").problem
    assert problem[:2] == (status, code)
    assert words in problem[2]


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        (b"", 400, "UNPARSABLE_BODY", "not JSON"),
        (b"{", 400, "UNPARSABLE_BODY", "not JSON"),
        (b"\xff", 400, "UNPARSABLE_BODY", "UTF-8"),
        (b'{"url": "\\ud800"}', 400, "UNPARSABLE_BODY", "not JSON"),
        (b"[" * 100_000, 400, "UNPARSABLE_BODY", "not JSON"),
        (b"[]", 400, "UNPARSABLE_BODY", "1 to 100"),
        ([{"url": URL}] * 101, 400, "UNPARSABLE_BODY", "101 requests"),
        ("text", 400, "UNPARSABLE_BODY", "not a JSON object"),
        ({}, 400, "UNPARSABLE_BODY", "url is missing"),
        ({"url": URL, "requestid": "a"}, 400, "UNPARSABLE_BODY", "did you mean requestId?"),
        ({"url": URL, "colour": 1}, 400, "UNPARSABLE_BODY", "colour is not a field"),
        ({"url": URL, "requestId": "../x"}, 400, "UNPARSABLE_BODY", "requestId"),
        ({"url": URL, "options": {"fullpage": True}}, 422, "INVALID_REQUEST", "did you mean fullPage?"),
        ({"url": URL, "options": {"viewport": {"width": 0}}}, 422, "INVALID_REQUEST", "viewport.width"),
        ({"url": "ftp://example.com/"}, 422, "BLOCKED_SCHEME", "only http and https"),
        ({"url": "https://"}, 422, "INVALID_REQUEST", "no host"),
        (b"{" + b" " * MAX_BODY_BYTES + b"}", 413, "BODY_TOO_LARGE", "fewer requests"),
    ],
)
def test_a_wrong_body_is_refused_with_its_reason(
    client: Client, cloud: Cloud, body: Any, status: int, code: str, words: str
) -> None:
    # When a body is wrong
    problem = client.post(body).problem
    # Then the problem says why, and nothing is recorded
    assert problem[:2] == (status, code)
    assert words in problem[2]
    assert cloud.clients.dynamodb.scan(TableName=cloud.settings.table_name)["Count"] == 0


def test_a_secret_in_a_wrong_body_is_not_repeated(client: Client) -> None:
    body = {"url": URL, "options": {"basicAuth": {"username": "u", "password": ["hunter2"]}, "hunter2": 1}}
    reply = client.post({"url": URL, "options": {"headers": {"Authorization": ["hunter2"]}}})
    assert reply.status == 422
    assert b"hunter2" not in reply.body
    assert client.post(body).status == 422


def test_a_body_of_another_type_is_refused(client: Client) -> None:
    problem = client.post(b"url=x", Content_Type="application/x-www-form-urlencoded").problem
    assert problem[:2] == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_each_request_of_a_list_is_answered_on_its_own(client: Client, cloud: Cloud) -> None:
    # Given a list with an unknown field, a wrong option, and two that are right
    requests = [
        {"url": URL, "requestId": "a"},
        {"url": URL, "requestId": "b", "colour": 1},
        {"url": URL, "requestId": "c", "options": {"width": 1}},
        {"url": URL, "requestId": "d"},
    ]
    # When it is sent
    reply = client.post(requests)
    # Then each has the answer that it would have had alone, in order
    assert reply.status == 207
    assert [item["status"] for item in reply.json["items"]] == [202, 400, 422, 202]
    assert reply.json["items"][3]["screenshot"]["location"] == "/v1/screenshots/d"
    assert "colour is not a field" in reply.json["items"][1]["problem"]["detail"]
    assert sorted(json.loads(each["Body"])["requestId"] for each in cloud.receive()) == ["a", "d"]


def test_a_list_of_a_hundred_is_accepted(client: Client) -> None:
    reply = client.post([{"url": URL, "requestId": f"id-{number}"} for number in range(100)])
    assert {item["status"] for item in reply.json["items"]} == {202}
