"""The endpoints of the API, each by hand: what is right, and every way to be wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Status
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud

from .conftest import Client, api_of
from .records import fetched, set_record, succeed

URL = "https://example.com/"


def test_a_request_is_accepted_recorded_and_sent(client: Client, cloud: Cloud) -> None:
    # When a request comes
    reply = client.post({"url": URL, "requestId": "order-42", "metadata": {"order": "42"}})
    # Then the answer says where to look, and the record and the message are there
    assert reply.status == 202
    location = "/v1/screenshots/order-42"
    assert reply.headers["Location"] == location
    assert reply.json == {"id": "order-42", "status": "queued", "url": URL, "location": location}
    assert [json.loads(each["Body"])["requestId"] for each in cloud.receive()] == ["order-42"]
    found = client.get(location)
    assert found.status == 200
    assert (found.json["status"], found.json["metadata"]) == ("queued", {"order": "42"})


def test_without_an_id_the_same_request_is_the_same_screenshot(client: Client) -> None:
    replies = [client.post({"url": URL, "options": {"fullPage": True}}) for _ in range(2)]
    expected = CaptureRequest(url=URL, options={"fullPage": True}).payload_hash
    assert [reply.json["id"] for reply in replies] == [expected, expected]


def test_a_request_that_is_captured_already_is_answered_with_200(client: Client, cloud: Cloud) -> None:
    # Given a screenshot that is captured
    client.post({"url": URL, "requestId": "a"})
    cloud.receive()
    succeed(cloud, "a")
    # When its request comes again, then nothing is sent
    reply = client.post({"url": URL, "requestId": "a"})
    assert (reply.status, reply.json["status"]) == (200, "success")
    assert cloud.receive(wait=0) == []


def test_image_extras_and_shots_are_links_that_need_no_credentials(client: Client, cloud: Cloud) -> None:
    # Given a captured screenshot
    client.post({"url": URL, "requestId": "a"})
    succeed(cloud, "a", b"bytes")
    # When image, extras and shots are asked for, then each answer leads to the object
    for path in ("/image", "/extras/thumbnail", "/shots/phone"):
        reply = client.get(f"/v1/screenshots/a{path}")
        assert reply.status == 303
        assert fetched(reply.headers["Location"]) == (b"bytes", "image/png")
    # And an extra that was not asked for, or does not exist, says so
    assert "did not ask for it" in client.get("/v1/screenshots/a/extras/html").problem[2]
    assert client.get("/v1/screenshots/a/extras/video").problem[:2] == (400, "INVALID_PARAMETER")
    assert "has no shot tablet" in client.get("/v1/screenshots/a/shots/tablet").problem[2]
    assert client.get("/v1/screenshots/a/shots/A%20B").problem[:2] == (400, "INVALID_PARAMETER")


def test_the_token_of_a_claim_is_not_shown(client: Client, cloud: Cloud) -> None:
    client.post({"url": URL, "requestId": "a"})
    succeed(cloud, "a")
    assert "claimToken" not in client.get("/v1/screenshots/a").json
    assert "claimToken" not in client.get("/v1/screenshots").json["items"][0]


@pytest.mark.parametrize("path", ["", "/image", "/extras/html", "/shots/phone"])
def test_an_unknown_id_is_not_found(client: Client, path: str) -> None:
    assert client.get(f"/v1/screenshots/nobody{path}").problem[:2] == (404, "NOT_FOUND")


def test_an_item_of_the_table_that_is_no_record_cannot_be_read(client: Client) -> None:
    assert client.get("/v1/screenshots/check%23").problem[0] in (400, 404)
    assert client.get("/v1/screenshots/..%2F..%2Fhealth").problem[0] in (400, 404)


def test_an_image_that_is_not_there_yet_is_a_conflict(client: Client, cloud: Cloud) -> None:
    client.post({"url": URL, "requestId": "a"})
    assert "its status is queued" in client.get("/v1/screenshots/a/image").problem[2]
    set_record(cloud, "a", status="failed", errorCode="UNKNOWN_HOST", errorMessage="no such host")
    assert client.get("/v1/screenshots/a/image").problem[:2] == (409, "NOT_CAPTURED")
    assert "UNKNOWN_HOST: no such host" in client.get("/v1/screenshots/a/image").problem[2]


def test_records_are_listed_page_by_page(client: Client, cloud: Cloud) -> None:
    # Given more records than a page has, and a failed one
    cloud.send(*(CaptureRequest(url=URL, request_id=f"id-{number}") for number in range(130)))
    # When all pages are read
    seen: list[str] = []
    cursor = ""
    while True:
        page = client.get(f"/v1/screenshots?status=queued{cursor}").json
        seen += [record["id"] for record in page["items"]]
        if "cursor" not in page:
            break
        cursor = f"&cursor={page['cursor']}"
    # Then each record was there once
    assert sorted(seen) == sorted(f"id-{number}" for number in range(130))
    assert client.get("/v1/screenshots?status=failed").json == {"items": []}
    assert client.get("/v1/screenshots?since=2999-01-01T00:00:00Z&status=queued").json == {"items": []}
    assert len(client.get("/v1/screenshots?since=2000-01-01T00:00:00Z").json["items"]) == 100


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("status=done", 400),
        ("since=yesterday", 400),
        ("since=2026-13-01T00:00:00Z", 422),
        ("cursor=x", 422),
        ("cursor=", 400),
        ("stauts=queued", 400),
        (f"cursor={'A' * 5000}", 400),
    ],
)
def test_a_wrong_filter_is_refused(client: Client, query: str, status: int) -> None:
    assert client.get(f"/v1/screenshots?{query}").problem[0] == status


def test_a_failed_screenshot_is_sent_again(client: Client, cloud: Cloud) -> None:
    # Given a failed screenshot
    client.post({"url": URL, "requestId": "a"})
    cloud.receive()
    set_record(cloud, "a", status="failed", errorCode="UNKNOWN_HOST")
    # When it is retried
    reply = client.call("POST", "/v1/screenshots/a/retry")
    # Then it is queued and has a new message
    assert (reply.status, reply.headers["Location"]) == (202, "/v1/screenshots/a")
    assert cloud.record("a").status is Status.QUEUED
    assert [json.loads(each["Body"])["requestId"] for each in cloud.receive()] == ["a"]


def test_what_cannot_be_sent_again_says_why(client: Client, cloud: Cloud) -> None:
    assert client.call("POST", "/v1/screenshots/nobody/retry").problem[:2] == (404, "NOT_FOUND")
    client.post({"url": URL, "requestId": "a"})
    succeed(cloud, "a")
    problem = client.call("POST", "/v1/screenshots/a/retry").problem
    assert problem[:2] == (409, "NOT_RETRYABLE")
    assert "already captured" in problem[2]


def test_another_path_or_method_is_a_problem(client: Client) -> None:
    assert client.get("/v2").problem[:2] == (404, "NOT_FOUND")
    reply = client.call("DELETE", "/v1/screenshots")
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD, POST")


def test_head_is_get_without_content(client: Client, cloud: Cloud) -> None:
    # Given a screenshot with an image
    client.post({"url": URL, "requestId": "a"})
    succeed(cloud, "a")
    for path in ("/health", "/v1/screenshots/a", "/v1/screenshots/a/image", "/v1/screenshots/nobody", "/openapi.json"):
        # When only the head is asked for
        head, whole = client.call("HEAD", path), client.get(path)
        # Then it is that of the whole answer, without its content
        assert (head.status, head.body) == (whole.status, b""), path
        assert head.headers.get("Content-Type") == whole.headers.get("Content-Type")
        assert "Content-Length" not in head.headers
    assert client.call("HEAD", "/v1/screenshots/a/retry").headers["Allow"] == "POST"


def test_when_aws_fails_the_answer_is_503_with_a_time_to_come_again(make_cloud: MakeCloud) -> None:
    # Given a table that does not exist
    cloud = make_cloud()
    cloud.settings = cloud.settings.model_copy(update={"table_name": "gone"})
    # When a record is asked for
    http = {"method": "GET", "path": "/v1/screenshots/a"}
    event: dict[str, Any] = {"rawPath": http["path"], "requestContext": {"http": http, "stage": "$default"}}
    answer = api_of(cloud).handle(event)
    # Then it is AWS that is not there
    assert answer["statusCode"] == 503
    assert json.loads(answer["body"])["code"] == "AWS_ERROR"
    assert answer["headers"]["Retry-After"] == "5"


def test_health_documents_and_their_page_are_served(client: Client) -> None:
    # When the documents are read
    assert client.get("/health").json["status"] == "ok"
    document = client.get("/openapi.json").json
    page = client.get("/docs")
    # Then the option model is whole, and the page needs no network
    assert document["openapi"] == "3.1.0"
    options = json.loads((Path(__file__).parents[2] / "docs/options.schema.json").read_text())
    assert document["components"]["schemas"]["RenderOptions"]["properties"].keys() == options["properties"].keys()
    assert page.headers["Content-Type"].startswith("text/html")
    text = page.body.decode()
    assert "createScreenshots" in text
    assert "<script src" not in text
    assert "<link" not in text


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": "evil.example:80"}, {"Origin": "https://evil.example"}, {"Origin": "null"}],
)
def test_a_page_of_another_site_cannot_use_the_api_of_this_machine(
    client: Client, cloud: Cloud, headers: dict[str, str]
) -> None:
    # Given a page that a browser on this machine shows / When it sends a request in its own name
    reply = client.call("POST", "/v1/screenshots", {"url": URL}, **headers)
    # Then it is refused, and one of this machine is not
    assert reply.problem[:2] == (421, "MISDIRECTED_REQUEST")
    assert cloud.clients.dynamodb.scan(TableName=cloud.settings.table_name)["Count"] == 0
    own = client.url.removeprefix("http://").replace("127.0.0.1", "localhost")
    assert client.post({"url": URL}, Host=own, Origin=f"http://{own}").status == 202
