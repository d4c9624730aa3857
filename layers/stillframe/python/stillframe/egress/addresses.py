"""What kind of address a page asks for: only globally reachable unicast is the public internet.

The ranges are those of the IANA special-purpose address registries (RFC 6890), and what has been reserved since.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class AddressClass(Enum):
    """A decision with three faces: whether it is public, words for people, and the name of its metric."""

    PUBLIC = ("allow.public", "an address of the public internet")
    UNSPECIFIED = ("deny.unspecified", "the unspecified address or network 0")
    LOOPBACK = ("deny.loopback", "a loopback address")
    PRIVATE = ("deny.private", "a private address")
    SHARED_NAT = ("deny.cgnat", "an address behind a carrier's NAT")
    LINK_LOCAL = ("deny.link_local", "a link-local address")
    UNIQUE_LOCAL = ("deny.unique_local", "a unique local address")
    PROTOCOL = ("deny.protocol", "an address of an IETF protocol")
    DOCUMENTATION = ("deny.documentation", "an address for documentation")
    BENCHMARKING = ("deny.benchmarking", "an address for benchmarks")
    MULTICAST = ("deny.multicast", "a multicast or broadcast address")
    TRANSLATED = ("deny.translated", "an address of a transition mechanism")
    RESERVED = ("deny.reserved", "a reserved address")

    def __init__(self, metric: str, words: str) -> None:
        self.metric = metric
        self.words = words

    @property
    def is_public(self) -> bool:
        return self is AddressClass.PUBLIC


# The first range that holds an address decides.
IPV4_RANGES: tuple[tuple[IPv4Network, AddressClass], ...] = tuple(
    (IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", AddressClass.UNSPECIFIED),  # RFC 1122, 3.2.1.3; Linux takes 0.0.0.0 for loopback
        ("10.0.0.0/8", AddressClass.PRIVATE),  # RFC 1918
        ("100.64.0.0/10", AddressClass.SHARED_NAT),  # RFC 6598; also where AWS has metadata of some services
        ("127.0.0.0/8", AddressClass.LOOPBACK),  # RFC 1122; the Lambda runtime API is here
        ("169.254.0.0/16", AddressClass.LINK_LOCAL),  # RFC 3927: instance and task metadata
        ("172.16.0.0/12", AddressClass.PRIVATE),  # RFC 1918
        ("192.0.0.0/24", AddressClass.PROTOCOL),  # RFC 6890
        ("192.0.2.0/24", AddressClass.DOCUMENTATION),  # RFC 5737
        ("192.88.99.0/24", AddressClass.TRANSLATED),  # RFC 7526: the deprecated 6to4 relays
        ("192.168.0.0/16", AddressClass.PRIVATE),  # RFC 1918
        ("198.18.0.0/15", AddressClass.BENCHMARKING),  # RFC 2544
        ("198.51.100.0/24", AddressClass.DOCUMENTATION),  # RFC 5737
        ("203.0.113.0/24", AddressClass.DOCUMENTATION),  # RFC 5737
        ("224.0.0.0/4", AddressClass.MULTICAST),  # RFC 5771
        ("255.255.255.255/32", AddressClass.MULTICAST),  # RFC 919
        ("240.0.0.0/4", AddressClass.RESERVED),  # RFC 1112, 4
    )
)
IPV6_RANGES: tuple[tuple[IPv6Network, AddressClass], ...] = tuple(
    (IPv6Network(network), kind)
    for network, kind in (
        ("::/128", AddressClass.UNSPECIFIED),  # RFC 4291, 2.5.2
        ("::1/128", AddressClass.LOOPBACK),  # RFC 4291, 2.5.3
        ("64:ff9b:1::/48", AddressClass.TRANSLATED),  # RFC 8215: NAT64 of a local network
        ("100::/64", AddressClass.RESERVED),  # RFC 6666: discard
        ("100:0:0:1::/64", AddressClass.RESERVED),  # RFC 9780
        ("2001::/32", AddressClass.TRANSLATED),  # RFC 4380: Teredo carries an IPv4 address
        ("2001:2::/48", AddressClass.BENCHMARKING),  # RFC 5180
        ("2001::/23", AddressClass.PROTOCOL),  # RFC 2928
        ("2001:db8::/32", AddressClass.DOCUMENTATION),  # RFC 3849
        ("2002::/16", AddressClass.TRANSLATED),  # RFC 3056: 6to4 carries an IPv4 address
        ("3fff::/20", AddressClass.DOCUMENTATION),  # RFC 9637
        ("2000::/3", AddressClass.PUBLIC),  # RFC 4291, 2.4: all global unicast that was ever given out
        ("fc00::/7", AddressClass.UNIQUE_LOCAL),  # RFC 4193; fd00:ec2::254 is AWS's metadata
        ("fe80::/10", AddressClass.LINK_LOCAL),  # RFC 4291, 2.5.6
        ("fec0::/10", AddressClass.PRIVATE),  # RFC 3879: the deprecated site-local
        ("ff00::/8", AddressClass.MULTICAST),  # RFC 4291, 2.7
    )
)
MAPPED = IPv6Network("::ffff:0:0/96")  # RFC 4291, 2.5.5.2: the kernel dials the IPv4 address
COMPATIBLE = IPv6Network("::/96")  # RFC 4291, 2.5.5.1: deprecated
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: what DNS64 makes of every IPv4-only host


def classify(address: Address) -> AddressClass:
    """The class of an address. One that stands for an IPv4 address has the class of that one."""
    if isinstance(address, IPv4Address):
        return _first(address, IPV4_RANGES, AddressClass.PUBLIC)
    if address in MAPPED or address in NAT64:
        return classify(embedded(address))
    kind = _first(address, IPV6_RANGES, AddressClass.RESERVED)
    if kind is AddressClass.RESERVED and address in COMPATIBLE:
        return AddressClass.TRANSLATED
    return kind


def embedded(address: IPv6Address) -> IPv4Address:
    """The IPv4 address in the last 32 bits."""
    return IPv4Address(int(address) & 0xFFFFFFFF)


def parse_address(host: str) -> Address | None:
    """A literal address as url hosts have it, brackets and scope included; None for a name.

    Only the standard notation: what browsers read as addresses besides (decimal, octal, hexadecimal, short) is
    written out by the browser before it asks anybody, and no resolver of ours reads it otherwise.
    """
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]").partition("%")[0])
    except ValueError:
        return None


def _first(address: Address, ranges: Sequence[tuple[Network, AddressClass]], otherwise: AddressClass) -> AddressClass:
    return next((kind for network, kind in ranges if address in network), otherwise)
