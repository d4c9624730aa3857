"""Every host has one canonical form, however a URL, a list or a page writes it."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from stillframe.egress.addresses import embedded_addresses
from stillframe.egress.hosts import canonical_host, origin_of
from stillframe.egress.policy import EgressPolicy
from stillframe.errors import BlockedAddress, InvalidRequest


@pytest.mark.parametrize(
    ("host", "canonical"),
    [
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("example.com...", "example.com"),
        (" example.com ", "example.com"),
        ("ex%61mple.com", "example.com"),
        # UTS #46, as browsers map it: not IDNA 2003, in which the third would be strasse.example.
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("b%C3%BCcher.example", "xn--bcher-kva.example"),
        ("example。com．", "example.com"),
        ("１２７.0.0.1", "127.0.0.1"),
        ("☕.example", "xn--53h.example"),
        ("foo_bar.example", "foo_bar.example"),
        # WHATWG URL, "IPv4 parser": its own examples among them.
        ("0xc0.0250.01", "192.168.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("0x", "0.0.0.0"),
        ("0xffffffff", "255.255.255.255"),
        ("[::FFFF:127.0.0.1]", "::ffff:7f00:1"),
        ("[2001:DB8:0::1]", "2001:db8::1"),
        ("fe80::1%25eth0", "fe80::1"),
        ("", ""),
    ],
)
def test_a_host_has_one_canonical_form(host: str, canonical: str) -> None:
    assert canonical_host(host) == canonical
    # And the canonical form is stable
    assert canonical_host(canonical) == canonical


@pytest.mark.parametrize("host", ["256.1.1.1", "1.2.3.4.5", "0x100000000", "1.2.3.09", "a" * 254, "a.0x1g.7"])
def test_a_host_that_no_browser_accepts_has_no_canonical_form(host: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # its message is shown as it is
        canonical_host(host)


def test_an_invalid_host_is_an_invalid_request() -> None:
    with pytest.raises(InvalidRequest, match="url:"):
        EgressPolicy().check_page("http://256.1.1.1/")


@pytest.mark.parametrize(
    ("address", "embedded"),
    [
        ("12.0.0.1", []),
        ("2606:4700::1", []),
        ("::ffff:12.0.0.1", ["12.0.0.1"]),
        ("::12.0.0.1", ["12.0.0.1"]),
        ("64:ff9b::12.0.0.1", ["12.0.0.1"]),
        ("64:ff9b:1::12.0.0.1", ["12.0.0.1"]),
        ("2002:c00:1::5", ["12.0.0.1"]),
        # RFC 4380, 4: its own example is server 65.54.227.120 and client 192.0.2.45.
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", ["65.54.227.120", "192.0.2.45"]),
    ],
)
def test_every_embedded_address_is_found(address: str, embedded: list[str]) -> None:
    assert [str(each) for each in embedded_addresses(ip_address(address))] == embedded


DENIED = ("denied.test", ".denied.test", "12.0.0.0/24", "bücher.example", "[2606:4700::1]")


@pytest.mark.parametrize(
    "url",
    [
        "http://denied.test../",
        "http://www.denied.test../",
        "http://DENIED.test/",
        "http://d%65nied.test/",
        "http://xn--bcher-kva.example/",
        "http://BÜCHER.example./",
        "http://[64:ff9b::12.0.0.1]/",
        "http://[2002:c00:1::1]/",
        "http://[::ffff:c00:1]/",
        "http://201326593/",
        "http://0x0c.1/",
        "http://[2606:4700:0:0::1]/",
    ],
)
def test_another_spelling_does_not_bypass_the_deny_list(url: str) -> None:
    with pytest.raises(BlockedAddress, match=r"deny\.list"):
        EgressPolicy.of(deny=DENIED).check_page(url)


@pytest.mark.parametrize("url", ["http://notdenied.test/", "http://12.0.1.1/", "http://bucher.example/"])
def test_a_merely_similar_host_is_not_denied(url: str) -> None:
    EgressPolicy.of(deny=DENIED).check_page(url)


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("LOCALHOST:3000", "http://localhost.:3000/"),
        ("[::1]:8080", "http://[0:0::1]:8080/"),
        ("127.0.0.1:8080", "http://2130706433:8080/"),
        ("bücher.internal", "http://xn--bcher-kva.internal/"),
    ],
)
def test_an_exception_applies_to_another_spelling(entry: str, url: str) -> None:
    EgressPolicy.of([entry]).check_page(url)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("HTTPS://Example.com./a", ("https", "example.com", 443)),
        ("http://example.com:80", ("http", "example.com", 80)),
        ("http://[::1]:8080/", ("http", "::1", 8080)),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: tuple[str, str, int]) -> None:
    assert origin_of(url) == origin
