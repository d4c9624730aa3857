"""Webhooks to what must not be reached: nothing is connected to, however the address is written."""

from __future__ import annotations

import http.server
import ipaddress
import ssl
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import trustme

from stillframe.egress.addresses import Address
from stillframe.egress.policy import EgressPolicy
from stillframe.request.envelope import Webhook
from stillframe_webhooks.endpoint import Endpoint, NotPosted
from tests.security.attacks import HOSTS
from tests.support.canary import Canary, canaries
from tests.support.serving import serving

CANARIES = ("127.0.0.1", "127.0.0.2", "::1")
# What these names of the attack set resolve to.
NAMES = {
    "inward.test": ["127.0.0.1"],
    "inward6.test": ["::1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "mixed.test": ["93.184.216.34", "127.0.0.1"],
    "metadata.test": ["169.254.169.254"],
    "private.test": ["10.0.0.1"],
}


def lookup(host: str) -> Sequence[Address]:
    return [ipaddress.ip_address(each) for each in NAMES.get(host, [])]


@pytest.fixture(scope="module")
def listening() -> Iterator[Canary]:
    with canaries(CANARIES) as canary:
        yield canary


@pytest.fixture
def canary(listening: Canary) -> Canary:
    listening.hits.clear()
    return listening


@pytest.mark.parametrize("port", ["canary", "80"])
@pytest.mark.parametrize(
    "host", [*HOSTS, *NAMES, "169.254.169.254", "metadata.google.internal", "10.0.0.1", "[fd00::1]"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_notation_of_a_forbidden_address_is_connected_to(canary: Canary, scheme: str, host: str, port: str) -> None:
    # Given a policy under which the port would not be the reason
    policy = EgressPolicy.of(ports=[canary.port])
    url = f"{scheme}://{host}:{canary.port if port == 'canary' else port}/hook"
    # When something is posted there
    with pytest.raises(NotPosted) as refused:
        Endpoint(policy, lookup).post(url, {}, b"{}")
    # Then it is refused for good, nothing was connected to, and the reason does not tell an address
    assert refused.value.is_final
    assert canary.hits == []
    assert "127.0.0.1" not in refused.value.reason


def test_the_canaries_hear_what_is_not_refused(canary: Canary) -> None:
    # Given a policy that allows the canary
    endpoint = Endpoint(EgressPolicy.of(allow_hosts=[f"inward.test:{canary.port}"]), lookup)
    # When something is posted there
    answer = endpoint.post(f"http://inward.test:{canary.port}/hook", {}, b"{}")
    # Then it arrives
    assert answer.status == 200
    assert canary.hits[:2] == ["connected", "POST /hook HTTP/1.1"]


def test_what_was_judged_is_what_is_connected_to(canary: Canary) -> None:
    # Given a name that resolves to a public address, and to a forbidden one when it is asked again
    answers = iter([["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]])

    def rebinding(_: str) -> Sequence[Address]:
        return [ipaddress.ip_address(each) for each in next(answers)]

    # When something is posted there
    with pytest.raises(NotPosted):
        Endpoint(EgressPolicy.of(ports=[canary.port]), rebinding, 2.0).post(f"http://a.test:{canary.port}/", {}, b"{}")
    # Then the name was looked up once
    assert canary.hits == []
    assert next(answers) == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://user:pass@hooks.example/", "user name or password"),
        ("http://hooks.example:0/", "port 0"),
        ("http://hooks.example:99999/", "Port out of range"),
        ("https://[::1/", "Invalid IPv6"),
        ("https:///path", "has no host"),
    ],
)
def test_a_url_that_is_none_is_refused_in_the_request(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Webhook(url=url)


def test_the_certificate_is_that_of_the_name() -> None:
    # Given a receiver with a certificate of its name, at an address that only the name leads to
    class Accepting(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Log nothing."""

    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trusting = ssl.create_default_context()
    issuer = trustme.CA()
    issuer.issue_cert("hooks.test").configure_cert(server)
    issuer.configure_trust(trusting)
    with serving(Accepting, tls=server) as address:
        port = address.rpartition(":")[2]
        policy = EgressPolicy.of(allow_hosts=[f"hooks.test:{port}", f"other.test:{port}"])

        def loopback(_: str) -> Sequence[Address]:
            return [ipaddress.ip_address("127.0.0.1")]

        # When something is posted to the name, to another name, and by a sender that does not trust its issuer
        assert Endpoint(policy, loopback, context=trusting).post(f"https://hooks.test:{port}/", {}, b"").status == 204
        # Then only the first one arrives
        with pytest.raises(NotPosted, match="certificate"):
            Endpoint(policy, loopback, context=trusting).post(f"https://other.test:{port}/", {}, b"")
        with pytest.raises(NotPosted, match="certificate"):
            Endpoint(policy, loopback).post(f"https://hooks.test:{port}/", {}, b"")
