"""Every range of the special-purpose registries: its first and last address, and the addresses just outside."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillframe.egress.addresses import IPV4_RANGES, IPV6_RANGES, AddressClass, classify
from stillframe.egress.hosts import parse_address

A = AddressClass
# The ranges, stated a second time: first, last, class, and the neighbors before and after, where these are public.
IPV4 = [
    ("0.0.0.0", "0.255.255.255", A.UNSPECIFIED, None, "1.0.0.0"),
    ("10.0.0.0", "10.255.255.255", A.PRIVATE, "9.255.255.255", "11.0.0.0"),
    ("100.64.0.0", "100.127.255.255", A.SHARED_NAT, "100.63.255.255", "100.128.0.0"),
    ("127.0.0.0", "127.255.255.255", A.LOOPBACK, "126.255.255.255", "128.0.0.0"),
    ("169.254.0.0", "169.254.255.255", A.LINK_LOCAL, "169.253.255.255", "169.255.0.0"),
    ("172.16.0.0", "172.31.255.255", A.PRIVATE, "172.15.255.255", "172.32.0.0"),
    ("192.0.0.0", "192.0.0.255", A.PROTOCOL, "191.255.255.255", "192.0.1.0"),
    ("192.0.2.0", "192.0.2.255", A.DOCUMENTATION, "192.0.1.255", "192.0.3.0"),
    ("192.88.99.0", "192.88.99.255", A.TRANSLATED, "192.88.98.255", "192.88.100.0"),
    ("192.168.0.0", "192.168.255.255", A.PRIVATE, "192.167.255.255", "192.169.0.0"),
    ("198.18.0.0", "198.19.255.255", A.BENCHMARKING, "198.17.255.255", "198.20.0.0"),
    ("198.51.100.0", "198.51.100.255", A.DOCUMENTATION, "198.51.99.255", "198.51.101.0"),
    ("203.0.113.0", "203.0.113.255", A.DOCUMENTATION, "203.0.112.255", "203.0.114.0"),
    ("224.0.0.0", "239.255.255.255", A.MULTICAST, "223.255.255.255", None),
    ("240.0.0.0", "255.255.255.254", A.RESERVED, None, None),
    ("255.255.255.255", "255.255.255.255", A.MULTICAST, None, None),
]
IPV6 = [
    ("::", "::", A.UNSPECIFIED, None, None),
    ("::1", "::1", A.LOOPBACK, None, None),
    ("::2", "::ffff:ffff", A.TRANSLATED, None, None),
    ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", A.TRANSLATED, None, None),
    ("100::", "100::ffff:ffff:ffff:ffff", A.RESERVED, None, None),
    ("1fff:ffff::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", A.RESERVED, None, "2000::"),
    ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", A.TRANSLATED, "2000:ffff:ffff::", None),
    ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", A.BENCHMARKING, None, None),
    ("2001:1::", "2001:1::3", A.PROTOCOL, None, None),
    ("2001:3::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", A.PROTOCOL, None, "2001:200::"),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", A.DOCUMENTATION, "2001:db7:ffff::", "2001:db9::"),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", A.TRANSLATED, "2001:ffff:ffff::", "2003::"),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", A.DOCUMENTATION, "3ffe:ffff::", "3fff:1000::"),
    ("4000::", "5fff:ffff::", A.RESERVED, "3fff:ffff::", None),
    ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", A.UNIQUE_LOCAL, None, None),
    ("fd00:ec2::254", "fd00:ec2::254", A.UNIQUE_LOCAL, None, None),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", A.LINK_LOCAL, None, None),
    ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", A.PRIVATE, None, None),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", A.MULTICAST, None, None),
]
# An IPv4 address embedded in an IPv6 address has the class of the IPv4 address, or that of the embedding.
EMBEDDED = [
    ("::ffff:127.0.0.1", A.LOOPBACK),
    ("::ffff:169.254.169.254", A.LINK_LOCAL),
    ("::ffff:0:0", A.UNSPECIFIED),
    ("::ffff:8.8.8.8", A.PUBLIC),
    ("64:ff9b::127.0.0.1", A.LOOPBACK),
    ("64:ff9b::10.0.0.1", A.PRIVATE),
    ("64:ff9b::8.8.8.8", A.PUBLIC),
    ("::127.0.0.1", A.TRANSLATED),
    ("2002:7f00:1::", A.TRANSLATED),
    ("::ffff:0:127.0.0.1", A.RESERVED),
]


@pytest.mark.parametrize(("first", "last", "kind", "before", "after"), [*IPV4, *IPV6])
def test_a_range_has_its_class_and_its_neighbors_are_public(
    first: str, last: str, kind: AddressClass, before: str | None, after: str | None
) -> None:
    assert [classify(ip_address(each)) for each in (first, last)] == [kind, kind]
    for neighbor in filter(None, (before, after)):
        assert classify(ip_address(neighbor)) is A.PUBLIC


@pytest.mark.parametrize(("address", "kind"), EMBEDDED)
def test_an_embedded_address_is_classified(address: str, kind: AddressClass) -> None:
    assert classify(ip_address(address)) is kind


def test_every_range_is_in_the_tables_above() -> None:
    firsts = {first for first, *_ in (*IPV4, *IPV6)} | {"100:0:0:1::", "240.0.0.0"}
    ranges: list[tuple[IPv4Network | IPv6Network, AddressClass]] = [*IPV4_RANGES, *IPV6_RANGES]
    missing = [
        str(network) for network, kind in ranges if not kind.is_public and str(network.network_address) not in firsts
    ]
    assert missing == []


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_a_public_address_is_global_in_the_standard_library_too(address: IPv4Address) -> None:
    if classify(address).is_public:
        assert address.is_global
        assert not address.is_multicast


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_only_global_unicast_of_ipv6_is_public(address: IPv6Address) -> None:
    inside = address in IPv6Network("2000::/3") or address in IPv6Network("::ffff:0:0/96")
    assert inside or address in IPv6Network("64:ff9b::/96") or not classify(address).is_public


@pytest.mark.parametrize("host", ["example.com", "", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "1.2.3.4.5", "::g"])
def test_a_nonstandard_notation_is_a_name(host: str) -> None:
    # A resolver may still read it as an address, which is then checked like any other answer.
    assert parse_address(host) is None


def test_brackets_and_scope_are_removed_from_a_literal() -> None:
    assert parse_address("[fe80::1%eth0]") == ip_address("fe80::1")
