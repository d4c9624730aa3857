"""What a url itself gives away: scheme and literal address, with the neighbours just outside each range."""

from __future__ import annotations

import pytest

from stillframe.egress import EgressPolicy
from stillframe.errors import BlockedAddress, BlockedScheme, InvalidRequest

POLICY = EgressPolicy()


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


def test_an_exception_is_for_an_exact_host_or_host_and_port() -> None:
    # Given one host allowed as a whole, and one on one port
    policy = EgressPolicy(["10.0.0.5", "127.0.0.1:8080"])
    # Then these are allowed
    for url in ("http://10.0.0.5/", "https://10.0.0.5:8443/", "http://127.0.0.1:8080/x"):
        policy.check_page(url)
    # And their neighbours are not
    for url in ("http://10.0.0.6/", "http://127.0.0.1/", "http://127.0.0.1:8081/", "http://127.0.0.2:8080/"):
        with pytest.raises(BlockedAddress):
            policy.check_page(url)


@pytest.mark.parametrize("url", ["about:blank", "data:text/html,x", "blob:https://example.com/x", "about:srcdoc"])
def test_a_document_in_a_frame_may_be_inline(url: str) -> None:
    POLICY.check_document(url)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "chrome://version", "http://10.0.0.1/"])
def test_a_document_in_a_frame_may_not_be_what_a_page_may_not(url: str) -> None:
    with pytest.raises((BlockedScheme, BlockedAddress)):
        POLICY.check_document(url)


def test_a_port_out_of_range_is_an_invalid_request() -> None:
    with pytest.raises(InvalidRequest):
        POLICY.check_page("http://example.com:70000/")
