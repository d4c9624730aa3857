"""Keys: who has none reaches nothing, and only their hashes are stored."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from stillframe.tenants.api_key import ALPHABET, ApiKey, checksum_of
from stillframe.tenants.key_store import KeyStore, UnknownKey
from stillframe.tenants.limits import Limits
from stillframe_api.api import Api
from tests.support.cloud import Cloud

from .conftest import Client, services_of

URL = "https://example.com/"
PATHS = (
    *("/v1/screenshots", "/v1/screenshots/a", "/v1/screenshots/a/image", "/v1/screenshots/a/extras/html"),
    "/v1/screenshots/a/shots/phone",
    *("/v1/usage", "/health", "/docs", "/openapi.json", "/", "/nowhere", "/v1/i", "/V1/i/a/b"),
)


def test_without_a_key_no_path_is_reached(locked: Client, cloud: Cloud) -> None:
    # Given an API that wants keys
    calls = cloud.count_calls()
    # When every path is called without one, then each is refused before anything is looked up
    for path in PATHS:
        reply = locked.get(path)
        assert reply.problem[:2] == (401, "UNAUTHORISED"), path
        assert reply.headers["WWW-Authenticate"] == 'Bearer realm="stillframe"'
    assert locked.post({"url": URL}).status == 401
    assert locked.call("POST", "/v1/screenshots/a/retry").status == 401
    assert locked.call("DELETE", "/v1/screenshots").status == 401
    assert calls == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic abc",
        "Bearer x",
        "Bearer stillframe_x",
        "Bearer a b",
        "Bearer \x00",
        "stillframe_",
    ],
)
def test_what_is_no_key_is_refused_without_a_look_up(cloud: Cloud, text: str) -> None:
    calls = cloud.count_calls()
    http = {"method": "GET", "path": "/v1/usage"}
    event = {"rawPath": "/v1/usage", "headers": {"authorization": text}, "requestContext": {"http": http}}
    answer = Api(services_of(cloud, needs_key=True)).handle(event)
    assert answer["statusCode"] == 401
    assert 'error="invalid_token"' in answer["headers"]["WWW-Authenticate"]
    assert calls == []


def test_a_key_lets_its_holder_in_until_it_is_revoked(locked: Client, key_store: KeyStore) -> None:
    # Given a key
    key, stored = key_store.create("acme", Limits())
    holder = Client(locked.url, key.text)
    # When it is used, then every path is there
    assert holder.get("/health").status == 200
    assert holder.post({"url": URL, "requestId": "a"}).status == 202
    # And an unknown key with a right checksum is refused, like one whose secret is another
    assert Client(locked.url, ApiKey.new().text).get("/health").status == 401
    # When it is revoked, then the very next request is refused
    assert key_store.revoke(stored.id).revoked_at is not None
    problem = holder.get("/health").problem
    assert problem == (401, "UNAUTHORISED", "the API key is malformed, unknown or revoked")


def test_a_key_with_the_id_of_another_is_refused(locked: Client, key_store: KeyStore) -> None:
    # Given a key, and another text with its id and a right checksum
    key, _ = key_store.create("acme", Limits())
    body = key.text[:21] + ApiKey.new().text[21:53]
    forged = body + checksum_of(body)
    assert ApiKey.parse(forged) is not None
    # Then it is refused
    assert Client(locked.url, forged).get("/health").status == 401
    assert Client(locked.url, key.text).get("/health").status == 200


def test_only_the_hash_of_a_key_is_stored(key_store: KeyStore, cloud: Cloud) -> None:
    # Given a key
    key, stored = key_store.create("acme", Limits(per_minute=60, usd_per_month=50))
    # Then no item has its secret, and one has its SHA-256
    items = json.dumps(cloud.clients.dynamodb.scan(TableName=cloud.settings.table_name)["Items"])
    assert key.text not in items
    assert key.text[21:53] not in items
    assert hashlib.sha256(key.text.encode()).hexdigest() in items
    # And neither is it in what is shown of it
    assert key.text not in repr(key)
    assert key.text not in json.dumps([each.to_wire() for each in key_store.list()])
    assert key_store.list() == [stored]


def test_keys_are_listed_and_a_key_that_does_not_exist_cannot_be_revoked(key_store: KeyStore) -> None:
    made = [key_store.create(tenant, Limits())[1] for tenant in ("b", "a", "b")]
    assert {each.id for each in key_store.list()} == {each.id for each in made}
    with pytest.raises(UnknownKey, match="no key with the id"):
        key_store.revoke("nothing")
    first = key_store.revoke(made[0].id)
    assert key_store.revoke(made[0].id).revoked_at == first.revoked_at


def test_a_key_has_the_form_that_scanners_look_for() -> None:
    keys = {ApiKey.new().text for _ in range(200)}
    assert len(keys) == 200
    for text in keys:
        # The pattern that docs/security.md gives to scanners
        assert re.fullmatch(r"stillframe_[0-9A-Za-z]{48}", text)
        assert ApiKey.parse(text) is not None
        # And each change of a character is seen without a look-up
        for place in (11, 30, 58):
            other = next(each for each in ALPHABET if each != text[place])
            assert ApiKey.parse(text[:place] + other + text[place + 1 :]) is None


def test_a_key_is_not_a_record(client: Client, key_store: KeyStore, cloud: Cloud) -> None:
    # Given a key, and everything else that keys leave in the table
    key_store.create("acme", Limits())
    services = services_of(cloud)
    services.quotas.take("acme", Limits(per_minute=1), 1)
    services.usage.add("acme", 1, 0.5)
    # Then lists and audits do not take them for records
    assert client.get("/v1/screenshots").json == {"items": []}
    assert cloud.audit().is_clean
