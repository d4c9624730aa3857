"""Signed links: whoever has one sees its image, can cause one capture in each window, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from stillframe.errors import InvalidRequest
from stillframe.link_keys import CACHE_SECONDS, MIN_REFRESH_SECONDS, FixedLinkKeys, SecretLinkKeys
from stillframe.links import LINK_SECONDS
from stillframe.request.capture_request import CaptureRequest
from stillframe.signed_link import LinkRefused, SignedLink, signature_of, verified
from stillframe_api import api as api_module
from stillframe_api.api import Api
from stillframe_cli.api_server import serving
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock

from .conftest import LINK_KEY, Client, services_of
from .records import fetched, set_record, succeed

URL = "https://example.com/"
KEY = LINK_KEY.encode()
DAY = 24 * 3600


@pytest.fixture
def links(cloud: Cloud, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """The API that wants keys, called without one, which waits for a second only."""
    monkeypatch.setattr(api_module, "MAX_WAIT_SECONDS", 1)
    api = Api(services_of(cloud, needs_key=True, clock=clock))
    with serving(socket.create_server(("127.0.0.1", 0), backlog=128), api.handle) as url:
        yield Client(url)


def signed(clock: FakeClock, seconds: int = 10 * DAY, key: bytes = KEY, **values: Any) -> str:
    values = {"url": URL, "expires": clock.now_ms() // 1000 + seconds, **values}
    return SignedLink.model_validate(values).path(key)


def by_hand(payload: Any) -> str:
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    encoded = base64.urlsafe_b64encode(text).decode().rstrip("=")
    return f"/v1/i/{encoded}/{signature_of(encoded, KEY)}"


def test_a_link_captures_its_page_once_and_leads_to_the_image(links: Client, cloud: Cloud, clock: FakeClock) -> None:
    # Given a link that nobody has opened
    path = signed(clock, freshFor=3600, options={"fullPage": True})
    # When it is opened, then its page is sent, and until the image is there the answer says so
    first = links.get(path)
    assert (first.status, first.headers["Retry-After"], first.headers["Cache-Control"]) == (202, "5", "no-store")
    screenshot_id = first.json["id"]
    expected = CaptureRequest(url=URL, options={"fullPage": True}, fresh_for=3600).named(clock.now_ms())
    assert screenshot_id == expected.id
    # And opening it again sends no second message
    assert links.get(path).json["id"] == screenshot_id
    assert [json.loads(each["Body"])["requestId"] for each in cloud.receive()] == [screenshot_id]
    # When the page is captured, then the link leads to the image
    succeed(cloud, screenshot_id)
    found = links.get(path)
    assert found.status == 303
    assert fetched(found.headers["Location"])[0] == b"image"


def test_who_opens_a_link_waits_for_its_image(
    links: Client, cloud: Cloud, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a worker that is done while the link waits
    monkeypatch.setattr(api_module, "MAX_WAIT_SECONDS", 25)
    path = signed(clock)
    screenshot_id = CaptureRequest(url=URL, fresh_for=DAY).named(clock.now_ms()).id
    cloud.send(CaptureRequest(url=URL, request_id=screenshot_id))
    timer = threading.Timer(0.5, succeed, (cloud, screenshot_id))
    timer.start()
    # Then the answer leads to the image, and may be cached
    found = links.get(path)
    timer.join()
    assert found.status == 303
    assert found.headers["Cache-Control"].startswith("public, max-age=")


@pytest.mark.parametrize("left", [2 * DAY, 5000, 400, 30])
def test_an_answer_is_cached_until_window_link_or_object_end(
    links: Client, cloud: Cloud, clock: FakeClock, left: int
) -> None:
    # Given a captured page, whose window ends in an hour or less
    request = CaptureRequest(url=URL, fresh_for=3600)
    window = request.window(clock.now_ms())
    assert window is not None
    clock.ms = window.begins_ms + 1000
    path = signed(clock, left, freshFor=3600)
    links.get(path)
    succeed(cloud, window.id)
    # Then the answer may be cached until the link expires, or the link to the object does, and not longer
    seconds = max_age(links.get(path).headers["Cache-Control"])
    assert min(left, LINK_SECONDS - 60) - seconds in (0, 1)
    # And near its end until the window ends
    clock.ms = window.ends_ms - 20_000
    if left > 3600:
        assert max_age(links.get(path).headers["Cache-Control"]) == 20
    # And after that the page is captured again
    clock.ms = window.ends_ms
    if left > 3600:
        assert links.get(path).status == 202


def max_age(value: str) -> int:
    kind, _, seconds = value.partition("max-age=")
    assert kind == "public, "
    return int(seconds)


def test_a_link_causes_one_capture_in_each_window(links: Client, cloud: Cloud, clock: FakeClock) -> None:
    # Given a link that is opened every ten minutes for a day, with windows of six hours
    path = signed(clock, freshFor=6 * 3600)
    ids = set()
    for _ in range(24 * 6):
        ids.add(links_answer(cloud, clock, path))
        clock.advance(600)
    # Then that are five windows at most: four whole ones, and parts of two
    assert len(ids) in (4, 5)


def links_answer(cloud: Cloud, clock: FakeClock, path: str) -> str:
    payload, _, signature = path.removeprefix("/v1/i/").partition("/")
    response = services_of(cloud, clock=clock).signed_links.answer(payload, signature)
    found: str = json.loads(response.body or "")["id"]
    return found


def test_a_capture_that_failed_is_told_and_not_repeated(links: Client, cloud: Cloud, clock: FakeClock) -> None:
    path = signed(clock)
    screenshot_id = links.get(path).json["id"]
    cloud.receive()
    set_record(cloud, screenshot_id, status="failed", errorCode="UNKNOWN_HOST", errorMessage="no such host")
    for _ in range(3):
        assert links.get(path).problem[:2] == (409, "NOT_CAPTURED")
    assert cloud.receive() == []


def changed(path: str, place: int) -> str:
    other = "A" if path[place] != "A" else "B"
    return path[:place] + other + path[place + 1 :]


def test_a_wrong_signature_is_refused_and_nothing_is_done(links: Client, cloud: Cloud, clock: FakeClock) -> None:
    # Given a link, and links that differ from it
    path = signed(clock)
    payload, _, signature = path.removeprefix("/v1/i/").partition("/")
    wrong = [changed(path, place) for place in (7, 20, len(path) - 43, len(path) - 20)]
    wrong += [f"/v1/i/{payload}/{signature[:-1]}", f"/v1/i/{payload}/{signature}A", f"/v1/i/{payload}/a"]
    wrong += [f"/v1/i/{signature}/{payload}", signed(clock, key=b"another key"), signed(clock, key=b"")]
    raw = hmac.digest(KEY, payload.encode(), hashlib.sha256)
    # A signature without the version before the payload is one of something else.
    wrong.append(f"/v1/i/{payload}/{base64.urlsafe_b64encode(raw).decode().rstrip('=')}")
    calls = cloud.count_calls()
    # Then each is refused in the same words
    for each in wrong:
        assert links.get(each).problem == (403, "LINK_REFUSED", "the signature of the link is wrong"), each
    assert calls == []


def test_an_expired_link_is_refused(links: Client, cloud: Cloud, clock: FakeClock) -> None:
    path = signed(clock, 60)
    assert links.get(path).status == 202
    clock.advance(59)
    assert links.get(path).status == 202
    clock.advance(1)
    assert links.get(path).problem == (403, "LINK_REFUSED", "the link has expired")


SECRETS: tuple[dict[str, Any], ...] = (
    {"headers": {"Authorization": "Bearer x"}},
    {"cookies": [{"name": "a", "value": "b"}]},
    {"basicAuth": {"username": "a", "password": "b"}},
    {"basic_auth": {"username": "a", "password": "b"}},
    {"headers": {"X": {"secretArn": "arn:aws:secretsmanager:us-east-1:111111111111:secret:a-AbCdEf"}}},
)


@pytest.mark.parametrize("options", SECRETS, ids=json.dumps)
def test_options_that_need_secrets_are_refused(
    links: Client, cloud: Cloud, clock: FakeClock, options: dict[str, Any]
) -> None:
    problem = links.get(signed(clock, options=options)).problem
    assert problem[:2] == (422, "INVALID_REQUEST")
    assert "whoever sees the link could read" in problem[2]
    assert cloud.receive() == []


@pytest.mark.parametrize(
    ("payload", "status", "words"),
    [
        (b"\xff", 400, "not JSON"),
        ("text", 400, "the link"),
        ([], 400, "the link"),
        ({"url": URL}, 400, "expires is missing"),
        ({"url": URL, "expires": 10**10, "requestId": "a"}, 400, "requestId is not a field"),
        ({"url": URL, "expires": 10**10, "freshFor": 59}, 400, "freshFor"),
        ({"url": URL, "expires": 10**10, "tenant": "a:b"}, 400, "tenant"),
        ({"url": URL, "expires": 10**10, "webhook": {"url": URL}}, 400, "webhook is not a field"),
        ({"url": "file:///etc/passwd", "expires": 10**10}, 422, "only http and https"),
        ({"url": URL, "expires": 10**10, "options": {"fullpage": True}}, 422, "did you mean fullPage?"),
    ],
)
def test_what_is_signed_and_no_link_is_refused_with_its_reason(
    links: Client, payload: Any, status: int, words: str
) -> None:
    problem = links.get(by_hand(payload)).problem
    assert problem[0] == status
    assert words in problem[2]


def test_a_link_of_a_tenant_is_in_its_namespace(links: Client, cloud: Cloud, clock: FakeClock) -> None:
    mine, nobodys = (links.get(signed(clock, tenant=each)).json["id"] for each in ("acme", None))
    assert mine == f"acme:{nobodys}"
    assert cloud.record(mine).tenant == "acme"
    # A reference to a secret is refused before anybody looks for its grant
    assert links.get(signed(clock, tenant="acme", options=SECRETS[4])).problem[1] == "INVALID_REQUEST"


def test_only_get_opens_a_link_and_it_opens_nothing_else(links: Client, clock: FakeClock) -> None:
    path = signed(clock)
    assert links.call("POST", path).status == 405
    assert links.call("DELETE", path).status == 405
    # A path that only begins like a link leads nowhere
    for other in ("/v1/i/", "/v1/i/a", f"{path}/image", "/v1/i/../screenshots", "/v1/i/..%2fscreenshots/a"):
        assert links.get(other).status in (400, 403, 404), other


def test_a_link_that_would_be_too_long_is_not_signed(clock: FakeClock) -> None:
    with pytest.raises(InvalidRequest, match="at most 8,000"):
        signed(clock, url=URL + "a" * 6000)


class Rotated:
    """A secret with versions, and a clock."""

    def __init__(self) -> None:
        aws: Any = boto3
        self.client = aws.client("secretsmanager")
        self.arn = self.client.create_secret(Name="links", SecretString="first")["ARN"]
        self.now = 1000.0
        self.reads = 0
        self.keys = SecretLinkKeys(self.arn, self._connect, lambda: self.now)

    def _connect(self) -> Any:
        self.client.meta.events.register("before-call", self._count)
        return self.client

    def _count(self, **_: Any) -> None:
        self.reads += 1

    def is_valid(self, key: str) -> bool:
        try:
            verified(PAYLOAD, signature_of(PAYLOAD, key.encode()), self.keys, 0)
        except LinkRefused:
            return False
        return True


PAYLOAD = base64.urlsafe_b64encode(json.dumps({"url": URL, "expires": 10}).encode()).decode().rstrip("=")


def test_links_outlive_one_rotation_of_their_key(cloud: Cloud) -> None:
    # Given a secret with one version
    secret = Rotated()
    assert secret.is_valid("first")
    reads = secret.reads
    # When a signature is wrong again and again, then the secret is looked up no more than now and then
    assert not any(secret.is_valid("wrong") for _ in range(50))
    assert secret.reads == reads
    # When the key is replaced, then both are valid, the new one within seconds of its first use
    secret.client.put_secret_value(SecretId=secret.arn, SecretString="second")
    secret.now += MIN_REFRESH_SECONDS
    assert secret.is_valid("second")
    assert secret.is_valid("first")
    assert secret.keys.valid()[0] == b"second"
    # When it is replaced once more, then the first one is not, within the time that keys are kept
    secret.client.put_secret_value(SecretId=secret.arn, SecretString="third")
    secret.now += CACHE_SECONDS
    assert [secret.is_valid(each) for each in ("first", "second", "third")] == [False, True, True]


def test_without_keys_no_link_is_valid(clock: FakeClock) -> None:
    with pytest.raises(LinkRefused):
        verified(PAYLOAD, signature_of(PAYLOAD, b""), FixedLinkKeys(), 0)
