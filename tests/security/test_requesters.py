"""What a requester must not get: the secrets of others, and anything about the screenshots of others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import boto3
import pytest

from stillframe.archive import Archive
from stillframe.clock import SystemClock
from stillframe.outcome import Outcome, OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.secret_grant import SecretGrant
from stillframe_renderer.message.wiring import wire_capture
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, fake_meter, message
from tests.support.rendering import local_engine
from tests.support.serving import QuietHandler, serving

TOKEN = "t0ken+that=nobody/may see"
EVERY_TEXT: dict[str, Any] = {"save": ["html", "text", "mhtml", "har"]}


class Echo(QuietHandler):
    """Shows the secret headers of its request in the title, the text, the source, the console and another request."""

    received: list[tuple[str, str]]

    def do_GET(self) -> None:
        seen = self.headers.get("X-Token") or self.headers.get("Cookie") or ""
        self.received.append((self.headers["Host"], seen))
        if self.path.startswith("/move"):
            self.answer(302, b"", Location=self.path.partition("to=")[2])
            return
        text = json.dumps(seen)
        script = f"document.title = {text}; console.error({text}); fetch('/own?' + encodeURIComponent({text}))"
        page = (
            f"<!doctype html><p id=a></p><p id=b></p><script>a.textContent = {text}; b.textContent = document.cookie;"
        )
        self.answer(200, f"{page} {script}</script>".encode())


@dataclass
class Service:
    """A worker with a real browser, and a secret that is granted for one of two sites; the requester knows its ARN."""

    cloud: Cloud
    own: str
    other: str
    arn: str
    received: list[tuple[str, str]]
    capture: Any

    def request(self, path: str, tenant: str | None = None, **options: Any) -> tuple[Outcome, str]:
        """The outcome of a request, and everything stored about it except the image."""
        request = CaptureRequest(url=f"http://{self.own}{path}", options=options, tenant=tenant)
        outcome: Outcome = self.capture.process(message(request, f"m-{request.id}"), FakeContext())
        record = self.cloud.record(request.id)
        archive = Archive(self.cloud.clients, self.cloud.settings)
        extras = [archive.object_at(url).decode("latin-1") for url in (record.extras or {}).values()]
        return outcome, "\n".join([json.dumps(record.to_wire()), json.dumps(outcome.to_wire()), *extras])

    def sites_that_saw_it(self) -> set[str]:
        return {site for site, seen in self.received if TOKEN in seen}


@pytest.fixture
def service(make_cloud: MakeCloud, chromium: str) -> Iterator[Service]:
    received: list[tuple[str, str]] = []
    handler = type("Echoing", (Echo,), {"received": received})
    with serving(handler) as own, serving(handler) as other, local_engine(chromium, own, other) as engine:
        cloud = make_cloud()
        client = boto3.session.Session().client("secretsmanager")
        arn = str(client.create_secret(Name="site", SecretString=TOKEN)["ARN"])
        settings = cloud.settings.model_copy(update={"secrets": (f"{arn}@http://{own}",)})
        clock = SystemClock()
        capture = wire_capture(settings, cloud.clients, engine, clock, fake_meter(clock))
        yield Service(cloud, own, other, arn, received, capture)


def test_a_header_by_reference_is_hidden_even_if_the_page_shows_it(service: Service) -> None:
    # Given / When a requester has the secret sent as a header to a page that shows it everywhere
    outcome, stored = service.request("/", headers={"X-Token": {"secretArn": service.arn}}, **EVERY_TEXT)
    # Then the page gets it, but record, log line and extra objects do not contain it
    assert outcome.kind is OutcomeKind.CAPTURED
    assert service.sites_that_saw_it() == {service.own}
    assert "**********" in stored
    assert [part for part in ("t0ken", "may see", "may%20see", "nobody") if part in stored] == []


def test_a_cookie_by_reference_goes_to_its_host_and_not_to_scripts(service: Service) -> None:
    # Given / When a requester has the secret set as a cookie
    outcome, stored = service.request("/", cookies=[{"name": "t", "value": {"secretArn": service.arn}}], save=["text"])
    # Then the host gets it, and scripts cannot read it
    assert outcome.kind is OutcomeKind.CAPTURED
    assert service.sites_that_saw_it() == {service.own}
    assert "nobody" not in stored
    # The page shows its Cookie header and what a script reads of it, with asterisks for the secret.
    assert stored[stored.rindex("}") :].count("t=**********") == 1


@pytest.mark.parametrize("path", ["/move?to=http://OTHER/", "/move?to=http://localhost:PORT/"])
def test_a_secret_does_not_follow_a_redirect_to_another_origin(service: Service, path: str) -> None:
    # Given / When a page redirects to another origin
    path = path.replace("OTHER", service.other).replace("PORT", service.other.partition(":")[2])
    service.request(path, headers={"X-Token": {"secretArn": service.arn}})
    # Then only the granted origin gets the secret
    assert service.sites_that_saw_it() == {service.own}


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"cookies": [{"name": "t", "value": "REFERENCE", "domain": "localhost"}]}, "domain"),
        ({"cookies": [{"name": "t", "value": "REFERENCE"}], "js": "document.title = 'x'"}, "js"),
        ({"cookies": [{"name": "t", "value": "REFERENCE"}], "html": "<p>x"}, "html"),
        ({"cookies": [{"name": "t", "value": "REFERENCE"}], "initScript": "1"}, "initScript"),
        ({"headers": {"X-Token": "REFERENCE"}, "waitForFunction": "() => true"}, "waitForFunction"),
        ({"basicAuth": {"username": "u", "password": "REFERENCE"}, "js": "1"}, "js"),
    ],
    ids=["a domain", "a script", "a source", "a script before the page", "a function", "beside a password"],
)
def test_a_request_that_could_read_its_own_references_is_refused(
    service: Service, options: dict[str, Any], name: str
) -> None:
    # Given a request that refers to a secret, and has an option that could read or divert the value
    reference = json.dumps({"secretArn": service.arn})
    options = json.loads(json.dumps(options).replace('"REFERENCE"', reference))
    # When it is captured
    outcome, _ = service.request("/", **options)
    # Then it is refused with the name of the option, and nothing is requested
    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, "INVALID_REQUEST")
    assert name in (outcome.error_message or "")
    assert service.received == []


@pytest.mark.parametrize("option", ["failOnConsoleError", "failOnResourceError"])
def test_an_error_of_the_page_does_not_tell_the_secret(service: Service, option: str) -> None:
    # Given / When a page that logs and requests the secret it got fails because of that
    options: dict[str, Any] = {"headers": {"X-Token": {"secretArn": service.arn}}, option: True}
    outcome, stored = service.request("/", **options)
    # Then the message does not contain it
    assert [form for form in (TOKEN, quote(TOKEN), quote(TOKEN, safe="")) if form in stored] == []
    assert (outcome.kind is OutcomeKind.FAILED) == (option == "failOnConsoleError")
    assert TOKEN not in (outcome.error_message or "")


def test_the_same_options_with_a_literal_value_are_accepted(service: Service) -> None:
    # Given / When a requester sends a literal value together with a script
    outcome, _ = service.request("/", headers={"X-Token": "mine"}, js="document.title = 'read'")
    # Then it is accepted, because the requester knows the value
    assert outcome.kind is OutcomeKind.CAPTURED


@pytest.mark.parametrize(
    ("grant", "url", "tenant", "is_allowed"),
    [
        ("a.example", "https://a.example/", None, True),
        ("a.example", "https://A.example:443/", "acme", True),
        ("a.example", "http://a.example/", None, False),
        ("https://a.example", "https://a.example/", None, True),
        ("http://a.example", "http://a.example/", None, True),
        ("http://a.example", "https://a.example/", None, False),
        ("http://a.example:8080", "http://a.example:8080/", None, True),
        ("a.example:8443", "https://a.example:8443/", None, True),
        ("a.example:8443", "https://a.example/", None, False),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443/", None, True),
        ("a.example;tenant=acme", "https://a.example/", "acme", True),
        ("a.example;tenant=acme", "https://a.example/", "other", False),
        ("a.example;tenant=acme", "https://a.example/", None, False),
    ],
)
def test_a_grant_is_for_one_origin_and_optionally_for_one_tenant(
    grant: str, url: str, tenant: str | None, is_allowed: bool
) -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a@b-AbCdEf"
    assert SecretGrant.parse(f"{arn}@{grant}").allows(arn, url, tenant) is is_allowed


@pytest.mark.parametrize("grant", ["", "ftp://a.example", "a.example/path", "a.example;tenant=", "http://"])
def test_a_malformed_grant_is_refused_with_the_expected_form(grant: str) -> None:
    with pytest.raises(ValueError, match="expected ARN@host"):
        SecretGrant.parse(f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:a-AbCdEf@{grant}")


PRIVATE = CaptureRequest(
    url="https://intranet.example/", request_id="private", options={"headers": {"Authorization": "Bearer x"}}
)


def compared(cloud: Cloud, request: CaptureRequest) -> tuple[str | None, float | None, str | None, object]:
    """What a requester learns from `compareTo`."""
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(color="#ff0000"), FakeClock())
    outcome = worker.process(message(request, f"m-{request.request_id}"), FakeContext())
    assert outcome.kind is OutcomeKind.CAPTURED
    record = cloud.record(request.id)
    return record.compared_to, record.difference, record.comparison_problem, record.extras


@pytest.fixture
def private(cloud: Cloud) -> Cloud:
    """An account with somebody's screenshot of a private page."""
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(), FakeClock())
    assert worker.process(message(PRIVATE, "m-private"), FakeContext()).kind is OutcomeKind.CAPTURED
    return cloud


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"url": "https://mine.example/"}, "the capture private is of another request"),
        ({"options": {}}, "the capture private is of another request"),
        ({"options": {"headers": {"Authorization": "Bearer y"}}}, "the capture private is of another request"),
        ({"tenant": "acme", "url": "https://mine.example/"}, "there is no capture private"),
        ({"tenant": "acme"}, "there is no capture private"),
    ],
    ids=["another url", "no secret", "another secret", "another tenant and url", "another tenant"],
)
def test_a_comparison_reveals_nothing_about_another_request(
    private: Cloud, changes: dict[str, Any], expected: str
) -> None:
    # Given a requester who knows only the id
    options = {**PRIVATE.options, **changes.get("options", {})} if changes.get("options") != {} else {}
    request = PRIVATE.model_copy(
        update={**changes, "request_id": "curious", "options": {**options, "compareTo": "private"}}
    )
    # When they compare another request with it
    compared_to, difference, problem, extras = compared(private, request)
    # Then they learn only that they may not compare with it
    assert (compared_to, difference, extras) == (None, None, None)
    assert problem == expected


def test_the_same_request_may_be_compared(private: Cloud) -> None:
    request = PRIVATE.model_copy(update={"request_id": "again", "options": {**PRIVATE.options, "compareTo": "private"}})
    assert compared(private, request)[:2] == ("private", 1.0)
    # And a capture that was itself compared may be compared with
    third = request.model_copy(update={"request_id": "third", "options": {**PRIVATE.options, "compareTo": "again"}})
    assert compared(private, third)[:2] == ("again", 0.0)


def test_captures_of_one_tenant_may_be_compared(cloud: Cloud) -> None:
    # Given a tenant's capture of one page
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(), FakeClock())
    first = CaptureRequest(url="https://a.example/", request_id="first", tenant="acme")
    worker.process(message(first), FakeContext())
    # When the same tenant compares another page with it
    second = CaptureRequest(
        url="https://b.example/", request_id="second", tenant="acme", options={"compareTo": "first"}
    )
    # Then that is allowed
    assert compared(cloud, second)[:2] == ("first", 1.0)
