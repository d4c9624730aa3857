"""What is decided from the URL alone: scheme and literal address, with the addresses just outside each range."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from stillframe.egress.addresses import AddressClass
from stillframe.egress.own_ports import own_ports
from stillframe.egress.policy import EgressPolicy, Reason, Refusal
from stillframe.errors import BlockedAddress, BlockedScheme, InvalidRequest
from stillframe.settings import Settings

POLICY = EgressPolicy.of()


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "file:/etc/passwd",
        " file:///etc/passwd",
        "view-source:https://example.com",
        "chrome://crash",
        "javascript:alert(1)",
        "data:text/html,x",
        "about:blank",
        "blob:https://example.com/x",
        "ftp://example.com/",
        "ws://example.com/",
        "//example.com/",
        "example.com",
        "",
    ],
)
def test_a_page_is_http_or_https(url: str) -> None:
    with pytest.raises(BlockedScheme):
        POLICY.check_page(url)


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST", "localhost.", "a.localhost", "printer.local", "db.internal",
        "127.0.0.1", "127.255.255.255", "0.0.0.0", "10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255",
        "192.168.0.0", "192.168.255.255", "169.254.169.254", "100.64.0.0", "100.127.255.255", "192.0.2.1", "198.18.0.0",
        "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "[::]", "[::1]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]",
        "[2001:db8::1]", "[ff02::1]",
    ],
)  # fmt: skip
def test_a_special_address_is_blocked(host: str) -> None:
    with pytest.raises(BlockedAddress):
        POLICY.check_page(f"http://{host}/")


@pytest.mark.parametrize(
    "host",
    [
        "example.com", "localhost.example.com", "9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0",
        "192.167.255.255", "192.169.0.0", "100.63.255.255", "100.128.0.0", "169.253.255.255", "169.255.0.0",
        "198.17.255.255", "198.20.0.0", "223.255.255.255", "[2606:4700::1]", "[::ffff:8.8.8.8]",
    ],
)  # fmt: skip
def test_the_address_just_outside_is_allowed(host: str) -> None:
    POLICY.check_page(f"https://{host}/")


def test_an_exception_is_for_an_exact_host_and_port() -> None:
    # Given one host allowed on the default ports, and others on one port
    policy = EgressPolicy.of(["10.0.0.5", "127.0.0.1:8080", "[::1]:8080"])
    # Then these are allowed
    for url in ("http://10.0.0.5/", "https://10.0.0.5/", "http://127.0.0.1:8080/x", "http://[::1]:8080/"):
        policy.check_page(url)
    # And their neighbors are not
    for url in (
        "http://10.0.0.6/",
        "https://10.0.0.5:8443/",
        "http://127.0.0.1/",
        "http://127.0.0.1:8081/",
        "http://127.0.0.2:8080/",
        "http://[::1]/",
    ):
        with pytest.raises(BlockedAddress):
            policy.check_page(url)


def test_an_exception_may_be_for_every_port_of_a_host() -> None:
    # Given two hosts that are allowed with every port
    policy = EgressPolicy.of(["localhost:*", "[::1]:*"])
    # Then each port of them is allowed, and no other host is
    for url in ("http://localhost/", "http://localhost:1/", "https://localhost:65535/", "http://[::1]:3000/"):
        policy.check_page(url)
    for url in ("http://sub.localhost:3000/", "http://127.0.0.1:3000/", "http://example.com:3000/"):
        with pytest.raises(BlockedAddress):
            policy.check_page(url)


def test_only_the_default_and_the_configured_ports_are_allowed() -> None:
    policy = EgressPolicy.of(ports=[8443])
    for url in ("http://example.com/", "https://example.com/", "https://example.com:8443/"):
        policy.check_page(url)
    for url in ("http://example.com:22/", "http://example.com:8080/", "https://example.com:9001/"):
        with pytest.raises(BlockedAddress):
            policy.check_page(url)


def test_an_allowed_network_counts_as_public() -> None:
    # Given a private deployment
    policy = EgressPolicy.of(allow_cidrs=["10.1.0.0/16"])
    # Then its network is reachable, and the addresses next to it are not
    policy.check_addresses("intranet.example", 443, [ip_address("10.1.0.0"), ip_address("::ffff:10.1.255.255")])
    for outside in ("10.0.255.255", "10.2.0.0"):
        with pytest.raises(Refusal) as refused:
            policy.check_addresses("intranet.example", 443, [ip_address(outside)])
        assert refused.value.reason is AddressClass.PRIVATE


def test_the_deny_list_takes_precedence_over_everything() -> None:
    # Given a denied host, denied names below a domain, and a denied network; the host is also allowed
    policy = EgressPolicy.of(["internal.example"], deny=["internal.example", ".tracker.example", "203.0.114.0/24"])
    for host in ("internal.example", "a.tracker.example", "a.b.tracker.example", "203.0.114.7"):
        with pytest.raises(Refusal) as refused:
            policy.check_target(host, 443)
        assert refused.value.reason is Reason.DENY_LIST
    with pytest.raises(Refusal):
        policy.check_addresses("public.example", 443, [ip_address("203.0.114.7")])
    with pytest.raises(Refusal) as refused:
        policy.check_addresses("public.example", 443, [ip_address("::ffff:203.0.114.7")])
    assert refused.value.reason is Reason.DENY_LIST
    for host in ("example", "tracker.example.org", "203.0.115.7"):
        policy.check_target(host, 443)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::ffff:127.0.0.1"])
def test_no_exception_leads_to_the_emulator_of_this_machine(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    # Given an emulator, which asks nobody for credentials, and a host that is allowed with every port
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    names = ("QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "TABLE_NAME", "BUCKET_NAME")
    given = {**dict.fromkeys(names, "x"), "STILLFRAME_ALLOW_HOSTS": "localhost:*", "STILLFRAME_ALLOW_CIDRS": "::1/128"}
    policy = Settings.from_environment(**given).egress_policy
    # When a page asks for it, then it gets another port of that host only
    with pytest.raises(Refusal) as refused:
        policy.check_addresses("localhost", 4566, [ip_address(address)])
    assert refused.value.reason is Reason.OWN_ENDPOINT
    policy.check_addresses("localhost", 4567, [ip_address(address)])


@pytest.mark.parametrize("url", ["", "https://s3.eu-central-1.amazonaws.com", "http://emulator:4566", "http://[", "x"])
def test_an_endpoint_elsewhere_forbids_nothing_on_this_machine(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    assert own_ports() == frozenset()


def test_a_name_with_one_non_public_address_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        POLICY.check_addresses("mixed.example", 443, [ip_address("8.8.8.8"), ip_address("192.168.0.1")])
    assert refused.value.reason is AddressClass.PRIVATE


def test_a_name_without_an_address_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        POLICY.check_addresses("nowhere.example", 443, [])
    assert refused.value.reason is Reason.UNRESOLVED


def test_an_error_names_the_class_and_not_the_address() -> None:
    with pytest.raises(BlockedAddress) as error:
        POLICY.check_page("http://169.254.169.254/latest/meta-data")
    assert error.value.message == "the page is at a link-local address (deny.link_local)"


@pytest.mark.parametrize("url", ["about:blank", "data:text/html,x", "blob:https://example.com/x", "about:srcdoc"])
def test_a_document_in_a_frame_may_be_inline(url: str) -> None:
    POLICY.check_document(url)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "chrome://version", "http://10.0.0.1/"])
def test_a_document_in_a_frame_may_not_be_what_a_page_may_not_be(url: str) -> None:
    with pytest.raises((BlockedScheme, BlockedAddress)):
        POLICY.check_document(url)


def test_a_port_out_of_range_is_an_invalid_request() -> None:
    with pytest.raises(InvalidRequest):
        POLICY.check_page("http://example.com:70000/")
