"""Headers, cookies and passwords go to the page's origin only, and not to third parties, records or logs."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import boto3
import pytest
from click.testing import CliRunner

from stillframe.errors import BlockedAddress, SecretUnavailable
from stillframe.outcome import OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options import RenderOptions
from stillframe.request.secret_grant import SecretGrant
from stillframe.request.secret_store import SecretStore
from stillframe_cli.main import cli
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.runtime import Runtime
from tests.support.cloud import Cloud
from tests.support.fakes import FakeContext, message
from tests.support.rendering import local_engine, render
from tests.support.serving import QuietHandler, serving

TOKEN = "t0ken-that-nobody-may-see"


@dataclass
class Received:
    """The headers of every request, by host and path."""

    requests: dict[str, dict[str, str]] = field(default_factory=dict)

    def at(self, site: str, path: str) -> dict[str, str]:
        return self.requests[f"{site}{path}"]

    def sites_that_saw(self, secret: str) -> set[str]:
        return {
            urlsplit(f"http://{where}").netloc
            for where, headers in self.requests.items()
            if any(secret in value for value in headers.values())
        }


class RecordingSite(QuietHandler):
    """Records the headers of its requests; /?embed=URL shows an image, /move?to=URL redirects."""

    received: Received

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.received.requests[f"{self.headers['Host']}{parts.path}"] = {k.lower(): v for k, v in self.headers.items()}
        if parts.path == "/move":
            self.answer(302, b"", Location=parts.query.removeprefix("to="))
        else:
            images = "".join(f'<img src="{url}">' for url in parts.query.removeprefix("embed=").split("|") if url)
            self.answer(200, f"<!doctype html><body>{images}<script>fetch('/own')</script>".encode())


@dataclass
class Sites:
    own: str
    other: str
    received: Received


@pytest.fixture
def sites() -> Iterator[Sites]:
    received = Received()
    handler = type("Each", (RecordingSite,), {"received": received})
    with serving(handler) as own, serving(handler) as other:
        yield Sites(own, other, received)


@pytest.fixture
def engine(chromium: str, sites: Sites) -> Iterator[RenderEngine]:
    with local_engine(chromium, sites.own, sites.other) as running:
        yield running


ACCESS: dict[str, dict[str, Any]] = {
    "headers": {"headers": {"X-Token": TOKEN}},
    "authorization": {"headers": {"Authorization": f"Bearer {TOKEN}"}},
    "cookies": {"cookies": [{"name": "session", "value": TOKEN}]},
}


@pytest.mark.parametrize("options", ACCESS.values(), ids=list(ACCESS))
def test_a_secret_goes_with_every_request_to_the_origin(
    engine: RenderEngine, sites: Sites, options: dict[str, Any]
) -> None:
    render(engine, f"http://{sites.own}/page?embed=/image", waitUntil="networkidle", **options)
    for path in ("/page", "/image", "/own"):
        assert TOKEN in str(sites.received.at(sites.own, path))


@pytest.mark.parametrize("options", [ACCESS["headers"], ACCESS["authorization"]], ids=["headers", "authorization"])
@pytest.mark.parametrize(
    "path", ["/page?embed=http://OTHER/image", "/page?embed=/move?to=http://OTHER/image", "/move?to=http://OTHER/page"]
)
def test_a_secret_goes_to_no_third_party_and_no_redirect_target(
    engine: RenderEngine, sites: Sites, options: dict[str, Any], path: str
) -> None:
    # Given / When a page that embeds, or redirects to, another origin
    url = f"http://{sites.own}{path.replace('OTHER', sites.other)}"
    render(engine, url, waitUntil="networkidle", **options)
    # Then the other origin is requested, without the secret
    assert sites.other in {urlsplit(f"http://{where}").netloc for where in sites.received.requests}
    assert sites.received.sites_that_saw(TOKEN) == {sites.own}


def test_a_redirect_back_to_the_origin_gets_the_secret_again(engine: RenderEngine, sites: Sites) -> None:
    back = quote(f"http://{sites.own}/end", safe=":/")
    render(engine, f"http://{sites.own}/move?to=http://{sites.other}/move?to={back}", headers={"X-Token": TOKEN})
    assert sites.received.at(sites.own, "/end")["x-token"] == TOKEN
    assert sites.received.sites_that_saw(TOKEN) == {sites.own}


def test_an_origin_is_recognized_however_the_url_is_written(engine: RenderEngine, sites: Sites) -> None:
    port = sites.own.rpartition(":")[2]
    with contextlib.suppress(BlockedAddress):
        render(engine, f"http://127.1:{port}/page", headers={"X-Token": TOKEN})
    render(engine, f"HTTP://127.0.0.1:0{port}/page", headers={"X-Token": TOKEN})
    assert sites.received.at(sites.own, "/page")["x-token"] == TOKEN


def test_basic_auth_is_sent_with_the_first_request(engine: RenderEngine, sites: Sites) -> None:
    render(engine, f"http://{sites.own}/page", basicAuth={"username": "joe", "password": TOKEN})
    kind, _, text = sites.received.at(sites.own, "/page")["authorization"].partition(" ")
    assert (kind, base64.b64decode(text).decode()) == ("Basic", f"joe:{TOKEN}")


def test_the_next_capture_does_not_have_the_secret(engine: RenderEngine, sites: Sites) -> None:
    render(engine, f"http://{sites.own}/first", **{**ACCESS["headers"], **ACCESS["cookies"]})
    render(engine, f"http://{sites.own}/second")
    assert TOKEN in str(sites.received.at(sites.own, "/first"))
    assert TOKEN not in str(sites.received.at(sites.own, "/second"))


def test_no_record_log_metric_or_object_contains_the_secret(
    make_cloud: Any, sites: Sites, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given requests with secrets: one that succeeds, some with a wrong option or URL, one for an unknown host
    cloud: Cloud = make_cloud(STILLFRAME_ALLOW_HOSTS=sites.own, LOG_LEVEL="DEBUG", STILLFRAME_MAX_RECEIVE_COUNT="1")
    access = {**ACCESS["headers"], **ACCESS["cookies"]}
    url = f"http://{sites.own}/page"
    runtime = Runtime.build(cloud.settings, cloud.clients, [])
    requests = [
        CaptureRequest(url=url, request_id="good", options={**access, "save": ["html", "text", "mhtml", "har"]}),
        CaptureRequest(url=url, request_id="wrong", options={**access, "quality": 50}),
        CaptureRequest(url=url, request_id="bad-value", options={"headers": {"X-Token": TOKEN + "\n"}}),
        CaptureRequest(url=f"http://joe:{TOKEN}@{sites.own}/", request_id="in-url"),
        CaptureRequest(url="http://no-such-host.invalid/", request_id="gone", options=access),
    ]
    cloud.send(*requests)
    # When they are processed with debug logging
    with caplog.at_level(logging.DEBUG):
        try:
            for request in requests:
                outcome = runtime.handler._capture.process(message(request, f"m-{request.id}"), FakeContext())
                assert outcome.kind in (OutcomeKind.CAPTURED, OutcomeKind.FAILED)
                assert TOKEN not in json.dumps(outcome.to_wire())
        finally:
            runtime.close()
    # Then the page was requested with the secret, and nothing that is stored or logged contains it
    assert sites.received.sites_that_saw(TOKEN) == {sites.own}
    kept = [str(cloud.clients.dynamodb.scan(TableName=cloud.settings.table_name)["Items"])]
    objects = [cloud.clients.s3.get_object(Bucket=cloud.settings.bucket_name, Key=key) for key in cloud.versions()]
    kept += [str({**each, "Body": each["Body"].read()}) for each in objects]
    assert len(kept) == 6
    assert TOKEN not in "".join(kept)
    own_lines = [line for line in caplog.records if line.name.startswith("stillframe")]
    assert TOKEN not in "".join(str(line.__dict__) for line in own_lines)
    assert TOKEN not in "".join(capsys.readouterr())
    # And a request with another secret has another id
    other = CaptureRequest(url=url, options={"headers": {"X-Token": "another"}})
    assert CaptureRequest(url=url, options={"headers": {"X-Token": TOKEN}}).id != other.id


def test_retry_says_that_the_record_has_no_secrets(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a record of a request with a header
    cloud.send(CaptureRequest(url="http://example.com/", request_id="a", options=ACCESS["headers"]))
    for name, value in cloud.exports.items():
        monkeypatch.setenv(name, value)
    # When it is retried
    result = CliRunner().invoke(cli, ["retry", "a"])
    # Then that is refused, with what to do instead
    assert result.exit_code == 1
    assert "secrets" in result.output
    assert "send it again" in result.output


@pytest.fixture
def secret(cloud: Cloud) -> str:
    """The ARN of a secret in the emulator's Secrets Manager."""
    client = boto3.session.Session().client("secretsmanager")
    return str(client.create_secret(Name="site", SecretString=json.dumps({"token": TOKEN}))["ARN"])


def store(*grants: str) -> SecretStore:
    return SecretStore(map(SecretGrant.parse, grants), lambda: boto3.session.Session().client("secretsmanager"))


def test_a_value_can_come_from_secrets_manager(secret: str) -> None:
    # Given a secret that is granted for one host
    options = RenderOptions.parse({"headers": {"X-Token": {"secretArn": secret, "key": "token"}}})
    # When a request for that host refers to it, then the request gets its text
    resolved, texts = store(f"{secret}@example.com").resolve(options, "https://example.com/page")
    assert (resolved.origin_headers(), texts) == ({"X-Token": TOKEN}, [TOKEN])
    # And only the reference is recorded
    request = CaptureRequest(url="https://example.com/", options={"headers": {"X-Token": {"secretArn": secret}}})
    assert request.recorded_options == {"headers": {"X-Token": {"secretArn": secret}}}


@pytest.mark.parametrize(
    ("grant", "url"),
    [
        ("", "https://example.com/"),
        ("SECRET@example.com", "https://example.org/"),
        ("SECRET@example.com", "https://example.com:8443/"),
        ("SECRET@example.com", "https://example.com.evil.test/"),
        ("SECRET@example.com", "https://example.com@evil.test/"),
        ("SECRETx@example.com", "https://example.com/"),
        ("SECRET@example.com", "http://example.com/"),
        ("SECRET@example.com:8443", "https://example.com/"),
        ("SECRET@http://example.com", "https://example.com/"),
        ("SECRET@http://example.com:8080", "http://example.com/"),
        ("SECRET@example.com;tenant=acme", "https://example.com/"),
    ],
)
def test_a_secret_goes_only_to_the_host_it_is_granted_for(secret: str, grant: str, url: str) -> None:
    options = RenderOptions.parse({"cookies": [{"name": "a", "value": {"secretArn": secret, "key": "token"}}]})
    grants = [grant.replace("SECRET", secret)] if grant else []
    with pytest.raises(SecretUnavailable, match="STILLFRAME_SECRETS"):
        store(*grants).resolve(options, url)


@pytest.mark.parametrize("reference", [{"key": "missing"}, {"key": "token", "gone": "1"}])
def test_a_missing_secret_is_a_permanent_error(secret: str, reference: dict[str, str]) -> None:
    arn = secret + reference.pop("gone", "")
    options = RenderOptions.parse({"headers": {"X-Token": {"secretArn": arn, **reference}}})
    with pytest.raises(SecretUnavailable) as refused:
        store(f"{arn}@example.com").resolve(options, "https://example.com/")
    assert TOKEN not in refused.value.message
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"headers": {"Host": "x"}}, "Host cannot be set"),
        ({"headers": {"Cookie": "x"}}, "use the option cookies"),
        ({"headers": {"Proxy-Authorization": "x"}}, "cannot be set"),
        ({"headers": {"a b": "x"}}, "is not a valid header name"),
        ({"headers": {"X-A": f"{TOKEN}\r\nX-B: y"}}, "printable ASCII"),
        ({"headers": {"X-A": TOKEN * 400}}, "longer than"),
        ({"headers": {"X-A": "1", "x-a": "2"}}, "given twice"),
        ({"headers": {"authorization": "x"}, "basicAuth": {"username": "u", "password": "p"}}, "conflict"),
        ({"basicAuth": {"username": "a:b", "password": TOKEN}}, "username"),
        ({"cookies": [{"name": "a;b", "value": TOKEN}]}, "name"),
        ({"headers": {"X-A": {"secretArn": "arn:aws:s3:::bucket"}}}, "secretArn"),
    ],
)
def test_an_invalid_value_is_refused_without_being_quoted(options: dict[str, Any], words: str) -> None:
    with pytest.raises(Exception, match=words) as refused:
        RenderOptions.parse(options)
    assert TOKEN not in str(refused.value)
    assert TOKEN not in repr(refused.value.__cause__)


def test_options_print_without_their_secrets() -> None:
    options = RenderOptions.parse(ACCESS["headers"])
    assert TOKEN not in repr(options) + options.model_dump_json()
