"""What a tenant may see is its own: every endpoint and every option that names something, each a cell of a table."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Record
from tests.support.cloud import Cloud

from .conftest import Client
from .records import fetched
from .tenants import URL, Tenants, captured, two_tenants


@pytest.fixture
def tenants(cloud: Cloud) -> Iterator[Tenants]:
    with two_tenants(cloud) as both:
        yield both


READS = ("", "/image", "/extras/thumbnail", "/extras/difference", "/shots/phone")
NAMES = ("acme:done", "acme:broken", "acme:waiting", "bravo:acme:done", "done", "waiting")


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("name", NAMES)
def test_a_record_of_another_tenant_does_not_exist(tenants: Tenants, path: str, name: str) -> None:
    # When bravo asks for it, then the answer is that of an id that nobody has
    reply = tenants.bravo.get(f"/v1/screenshots/{name}{path}")
    assert reply.problem == (404, "NOT_FOUND", f"There is no record with the id {name}.")
    nothing = tenants.bravo.get(f"/v1/screenshots/{name}0{path}")
    assert nothing.problem == (404, "NOT_FOUND", f"There is no record with the id {name}0.")


@pytest.mark.parametrize("name", NAMES)
def test_a_record_of_another_tenant_cannot_be_sent_again(tenants: Tenants, name: str) -> None:
    before = tenants.cloud.find_record("acme:broken")
    tenants.cloud.receive()
    reply = tenants.bravo.call("POST", f"/v1/screenshots/{name}/retry")
    assert reply.problem[:2] == (404, "NOT_FOUND")
    assert tenants.cloud.find_record("acme:broken") == before
    assert tenants.cloud.receive() == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [("", 200), ("/image", 303), ("/extras/thumbnail", 303), ("/shots/phone", 303)],
)
@pytest.mark.parametrize("name", ["acme:done", "done"])
def test_a_tenant_has_its_own_records_with_and_without_its_prefix(
    tenants: Tenants, path: str, expected: int, name: str
) -> None:
    reply = tenants.acme.get(f"/v1/screenshots/{name}{path}")
    assert reply.status == expected
    if expected == 303:
        assert fetched(reply.headers["Location"])[0] == b"acme's image"


def test_a_tenant_sends_its_own_records_again(tenants: Tenants) -> None:
    assert tenants.acme.call("POST", "/v1/screenshots/broken/retry").json["id"] == "acme:broken"
    assert tenants.cloud.record("acme:broken").tenant == "acme"


@pytest.mark.parametrize(
    "query", ["", "?status=queued", "?status=failed", "?status=success", "?since=2020-01-01T00:00"]
)
def test_a_list_has_the_records_of_its_tenant_only(tenants: Tenants, query: str) -> None:
    # Given a record of bravo's, and one of nobody's
    tenants.bravo.post({"url": URL, "requestId": "mine"})
    tenants.operator.post({"url": URL, "requestId": "nobodys"})
    # When each lists, then it sees its own
    assert {each.id for each in listed(tenants.bravo, query)} <= {"bravo:mine"}
    found = {each.id for each in listed(tenants.acme, query)}
    assert found <= {"acme:done", "acme:broken", "acme:waiting"}
    assert found
    # And who sees the whole deployment sees all
    assert found <= {each.id for each in listed(tenants.operator, query)}


def listed(client: Client, query: str, cursor: str = "") -> list[Record]:
    reply = client.get(
        f"/v1/screenshots{query}{'&' if query else '?'}cursor={cursor}" if cursor else f"/v1/screenshots{query}"
    )
    assert reply.status == 200, reply.body
    page = [Record.model_validate(each) for each in reply.json["items"]]
    return [*page, *(listed(client, query, reply.json["cursor"]) if "cursor" in reply.json else [])]


def cursor_of(**values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


CURSORS: dict[str, Callable[[Tenants], str]] = {
    "the operator's": lambda tenants: tenants.operator.get("/v1/screenshots").json.get(
        "cursor", cursor_of(id="acme:done")
    ),
    "of a scan": lambda _: cursor_of(id="acme:done"),
    "at acme's record": lambda tenants: cursor_of(
        id="acme:done", updated_at=tenants.cloud.record("acme:done").updated_at
    ),
    "at the beginning": lambda _: cursor_of(id="acme:done", updated_at=0),
    "at a key": lambda _: cursor_of(id="key#0", updated_at=0, shard=7),
    "of a shard that is none": lambda _: cursor_of(shard=8),
}


@pytest.mark.parametrize("made", CURSORS.values(), ids=CURSORS)
def test_no_cursor_leads_to_another_tenants_records(tenants: Tenants, made: Callable[[Tenants], str]) -> None:
    # Given a cursor that was made elsewhere, or by hand
    tenants.bravo.post({"url": URL, "requestId": "mine"})
    reply = tenants.bravo.get(f"/v1/screenshots?cursor={made(tenants)}")
    # Then it is refused, or leads to bravo's own records
    assert reply.status in (200, 422), reply.body
    assert b"acme" not in reply.body
    assert {each["id"] for each in reply.json.get("items", [])} <= {"bravo:mine"}


def test_a_cursor_names_nothing_of_others(tenants: Tenants) -> None:
    # Given more records of bravo's than a page has
    for _ in range(2):
        tenants.bravo.post([{"url": URL, "requestId": f"r-{_}-{number}"} for number in range(75)])
    # When bravo lists page by page, then every cursor names only what is bravo's
    found, cursor = set(), ""
    while True:
        reply = tenants.bravo.get(f"/v1/screenshots?cursor={cursor}" if cursor else "/v1/screenshots")
        found |= {each["id"] for each in reply.json["items"]}
        cursor = reply.json.get("cursor", "")
        if not cursor:
            break
        assert b"acme" not in base64.urlsafe_b64decode(cursor + "==")
    assert len(found) == 150


IDS: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "requestId": ({"requestId": "done"}, {}, "bravo:done"),
    "requestId of acme": ({"requestId": "acme:done"}, {}, "bravo:acme:done"),
    "requestId with its prefix": ({"requestId": "bravo:done"}, {}, "bravo:done"),
    "Idempotency-Key": ({}, {"Idempotency_Key": "acme:done"}, "bravo:acme:done"),
    "the payload": ({}, {}, "bravo:" + CaptureRequest(url=URL).payload_hash),
}


@pytest.mark.parametrize(("body", "headers", "expected"), IDS.values(), ids=IDS)
def test_ids_of_two_tenants_never_meet(
    tenants: Tenants, body: dict[str, Any], headers: dict[str, str], expected: str
) -> None:
    # Given acme's records, also one that is named by its payload
    assert tenants.acme.post({"url": URL}).status == 202
    # When bravo sends a request of the same name, then it gets a record of its own
    reply = tenants.bravo.post({"url": URL, **body}, **headers)
    assert (reply.status, reply.json["id"], reply.json["status"]) == (202, expected, "queued")
    assert reply.headers["Location"] == f"/v1/screenshots/{expected}"
    # And with another page under that name, acme would have had no conflict
    assert tenants.bravo.post({"url": URL + "other", **body}, **headers).status == (409 if body or headers else 202)
    record = tenants.cloud.record(expected)
    assert record.tenant == "bravo"


def test_windows_of_two_tenants_never_meet(tenants: Tenants) -> None:
    body = {"url": URL, "freshFor": 3600}
    ids = {name: client.post(body).json["id"] for name, client in (("acme", tenants.acme), ("bravo", tenants.bravo))}
    assert {name: each.partition(":")[0] for name, each in ids.items()} == {"acme": "acme", "bravo": "bravo"}
    assert ids["acme"].partition(":")[2] == ids["bravo"].partition(":")[2]
    assert "freshUntil" in tenants.acme.post(body).json


def test_a_message_belongs_to_the_keys_tenant(tenants: Tenants) -> None:
    tenants.cloud.receive()
    tenants.bravo.post({"url": URL, "requestId": "a", "tenant": "bravo"})
    (received,) = tenants.cloud.receive()
    assert json.loads(received["Body"])["tenant"] == "bravo"
    assert received["Attributes"]["MessageGroupId"] == "bravo"


@pytest.mark.parametrize("name", ["acme", "Bravo", "bravo:x", "a/b"])
def test_another_tenants_name_is_refused(tenants: Tenants, name: str) -> None:
    problem = tenants.bravo.post({"url": URL, "tenant": name}).problem
    assert problem == (422, "INVALID_REQUEST", "tenant: the key belongs to bravo; leave tenant out")


def test_an_id_that_is_too_long_with_its_prefix_is_refused(tenants: Tenants) -> None:
    assert tenants.bravo.post({"url": URL, "requestId": "a" * 122}).status == 202
    problem = tenants.bravo.post({"url": URL, "requestId": "a" * 123}).problem
    assert problem[:2] == (422, "INVALID_REQUEST")
    assert "with bravo: before it" in problem[2]
    assert tenants.bravo.get(f"/v1/screenshots/{'a' * 123}").status == 404


def test_what_somebody_else_has_put_under_a_tenants_id_is_not_the_tenants(tenants: Tenants) -> None:
    # Given a record whose id begins with bravo's name, which whoever may send to the queue can choose
    tenants.cloud.send(CaptureRequest(url=URL, request_id="bravo:planted", tenant="acme"))
    # Then it is not bravo's, whether bravo looks, sends again, or sends its own
    assert tenants.bravo.get("/v1/screenshots/planted").status == 404
    assert tenants.bravo.call("POST", "/v1/screenshots/planted/retry").status == 404
    assert tenants.bravo.post({"url": URL, "requestId": "planted"}).problem[:2] == (409, "ID_CONFLICT")
    assert listed(tenants.bravo, "") == []


def test_what_was_sent_for_a_tenant_without_its_prefix_is_not_in_its_list(tenants: Tenants) -> None:
    # Given a record that the queue has brought, in bravo's name and without its prefix, and one with it
    for each in ("elsewhere", "bravo:here"):
        tenants.cloud.send(CaptureRequest(url=URL, request_id=each, tenant="bravo"))
    # Then the list has what bravo can also read by its id, and nothing else
    assert [each.id for each in listed(tenants.bravo, "")] == ["bravo:here"]
    assert tenants.bravo.get("/v1/screenshots/here").status == 200
    assert tenants.bravo.get("/v1/screenshots/elsewhere").status == 404


def test_objects_of_two_tenants_have_keys_of_their_own(tenants: Tenants) -> None:
    body = {"url": URL, "requestId": "same"}
    keys = [captured(tenants, client.post(body)).s3_key or "" for client in (tenants.acme, tenants.bravo)]
    assert [key.rpartition("/")[2] for key in keys] == ["acme:same.png", "bravo:same.png"]
