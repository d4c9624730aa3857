"""Classes of IP addresses: only globally reachable unicast addresses are the public internet.

The ranges are those of the IANA special-purpose address registries (RFC 6890) and those reserved since.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class AddressClass(Enum):
    """A decision in three forms: whether the address is public, the name of its metric, and a description."""

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

    def __init__(self, metric: str, description: str) -> None:
        self.metric = metric
        self.description = description

    @property
    def is_public(self) -> bool:
        return self is AddressClass.PUBLIC

    @property
    def leaves_machine(self) -> bool:
        """Whether a connection goes to another machine. To the unspecified address, Linux connects to itself."""
        return self not in (AddressClass.LOOPBACK, AddressClass.UNSPECIFIED)


# The first range that contains an address decides.
IPV4_RANGES: tuple[tuple[IPv4Network, AddressClass], ...] = tuple(
    (IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", AddressClass.UNSPECIFIED),  # RFC 1122, 3.2.1.3; Linux treats 0.0.0.0 as loopback
        ("10.0.0.0/8", AddressClass.PRIVATE),  # RFC 1918
        ("100.64.0.0/10", AddressClass.SHARED_NAT),  # RFC 6598; some AWS services have their metadata here
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
        ("2000::/3", AddressClass.PUBLIC),  # RFC 4291, 2.4: all global unicast assigned so far
        ("fc00::/7", AddressClass.UNIQUE_LOCAL),  # RFC 4193; fd00:ec2::254 is AWS's metadata
        ("fe80::/10", AddressClass.LINK_LOCAL),  # RFC 4291, 2.5.6
        ("fec0::/10", AddressClass.PRIVATE),  # RFC 3879: the deprecated site-local
        ("ff00::/8", AddressClass.MULTICAST),  # RFC 4291, 2.7
    )
)
MAX_IPV4 = 0xFFFFFFFF
MAPPED = IPv6Network("::ffff:0:0/96")  # RFC 4291, 2.5.5.2: the kernel dials the IPv4 address
COMPATIBLE = IPv6Network("::/96")  # RFC 4291, 2.5.5.1: deprecated
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: DNS64 maps every IPv4-only host into it
# The networks whose addresses embed an IPv4 address, the number of bits after it, and whether it is inverted.
EMBEDDING: tuple[tuple[IPv6Network, int, bool], ...] = (
    (MAPPED, 0, False),
    (COMPATIBLE, 0, False),
    (NAT64, 0, False),
    (IPv6Network("64:ff9b:1::/48"), 0, False),  # RFC 8215: NAT64 of a local network
    (IPv6Network("2002::/16"), 80, False),  # RFC 3056: 6to4
    (IPv6Network("2001::/32"), 64, False),  # RFC 4380: Teredo, the server
    (IPv6Network("2001::/32"), 0, True),  # RFC 4380: Teredo, the client
)


def classify(address: Address) -> AddressClass:
    """The class of an address. An IPv6 address that stands for an IPv4 address has the class of the latter."""
    if isinstance(address, IPv4Address):
        return _first_match(address, IPV4_RANGES, AddressClass.PUBLIC)
    if address in MAPPED or address in NAT64:
        return classify(IPv4Address(int(address) & MAX_IPV4))
    kind = _first_match(address, IPV6_RANGES, AddressClass.RESERVED)
    if kind is AddressClass.RESERVED and address in COMPATIBLE:
        return AddressClass.TRANSLATED
    return kind


def embedded_addresses(address: Address) -> tuple[IPv4Address, ...]:
    """Every IPv4 address embedded in an IPv6 address: denying the former denies the latter as well."""
    if isinstance(address, IPv4Address):
        return ()
    return tuple(
        IPv4Address(((int(address) >> shift) ^ (MAX_IPV4 if is_inverted else 0)) & MAX_IPV4)
        for network, shift, is_inverted in EMBEDDING
        if address in network
    )


def _first_match(
    address: Address, ranges: Sequence[tuple[Network, AddressClass]], default: AddressClass
) -> AddressClass:
    return next((kind for network, kind in ranges if address in network), default)
