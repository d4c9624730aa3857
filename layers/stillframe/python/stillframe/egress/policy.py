"""Where a browser may connect to: the policy of the egress guard, and the check on a url's own text.

Fails closed: what cannot be parsed, or resolves to anything that is not public, is refused.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from stillframe.egress.addresses import Address, AddressClass, Network, classify, parse_address
from stillframe.errors import BlockedAddress, BlockedScheme, InvalidRequest

PAGE_SCHEMES = frozenset({"http", "https"})
# What a page may put into its own frames without a request leaving the browser.
INLINE_SCHEMES = frozenset({"about", "blob", "data"})
DEFAULT_PORTS = {"http": 80, "https": 443}
LOCAL_SUFFIXES = (".localhost", ".local", ".internal")


class Reason(Enum):
    """Why a connection is refused, besides the class of its address; each with words and a metric."""

    LOCAL_NAME = ("deny.local_name", "a name that is local by definition")
    SCHEME = ("deny.scheme", "a scheme that is no page's")
    PORT = ("deny.port", "a port that is not allowed")
    DENY_LIST = ("deny.list", "a host on the deny-list")
    UNRESOLVED = ("deny.unresolved", "a name that does not resolve")
    UNPARSABLE = ("deny.unparsable", "a request that is not well-formed")
    LIMIT = ("deny.limit", "more connections than a capture may have")
    BYTES = ("deny.bytes", "more bytes than a page may have")

    def __init__(self, metric: str, words: str) -> None:
        self.metric = metric
        self.words = words


class Refusal(Exception):
    """A connection that is not made, and why."""

    def __init__(self, reason: Reason | AddressClass) -> None:
        super().__init__(reason.words)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """Who may be connected to. `allow_hosts` are exact: `host` (default ports) or `host:port`.

    `allow_networks` are addresses that count as public, for pages inside a VPC; `deny` holds hosts (a leading
    dot means every name below) and networks, and goes before everything else.
    """

    allow_hosts: frozenset[str] = frozenset()
    allow_networks: tuple[Network, ...] = ()
    deny_hosts: frozenset[str] = frozenset()
    deny_networks: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset(DEFAULT_PORTS.values())

    @classmethod
    def of(
        cls,
        allow_hosts: Iterable[str] = (),
        allow_cidrs: Iterable[str] = (),
        deny: Iterable[str] = (),
        ports: Iterable[int] = (),
    ) -> EgressPolicy:
        """From texts. Raises ValueError for a CIDR that is none."""
        hosts, networks = [], []
        for entry in deny:
            network = _network(entry)
            if network is None:
                hosts.append(normal_host(entry))
            else:
                networks.append(network)
        return cls(
            allow_hosts=frozenset(host.strip().lower() for host in allow_hosts),
            allow_networks=tuple(ipaddress.ip_network(cidr.strip()) for cidr in allow_cidrs),
            deny_hosts=frozenset(hosts),
            deny_networks=tuple(networks),
            ports=frozenset({*DEFAULT_PORTS.values(), *ports}),
        )

    def is_allowed_host(self, host: str, port: int) -> bool:
        """Whether the allow-list has this very host and port."""
        name = f"[{host}]" if ":" in host else host
        is_plain = port in DEFAULT_PORTS.values() and host in self.allow_hosts
        return is_plain or f"{name}:{port}" in self.allow_hosts

    def check_target(self, host: str, port: int) -> None:
        """Judge host and port before anything is resolved. Raises Refusal."""
        if self._is_denied_name(host):
            raise Refusal(Reason.DENY_LIST)
        if self.is_allowed_host(host, port):
            return
        if port not in self.ports:
            raise Refusal(Reason.PORT)
        if is_local_name(host):
            raise Refusal(Reason.LOCAL_NAME)
        address = parse_address(host)
        if address is not None:
            self._check_address(address)

    def check_addresses(self, host: str, port: int, addresses: Iterable[Address]) -> None:
        """Judge all that a name resolved to: one address that is not public refuses it. Raises Refusal."""
        resolved = tuple(addresses)
        if not resolved:
            raise Refusal(Reason.UNRESOLVED)
        is_allowed = self.is_allowed_host(host, port)
        for address in resolved:
            self._check_address(address, is_allowed)

    def check_page(self, url: str) -> None:
        """Judge the url of a page or of a redirect. Raises BlockedScheme, BlockedAddress or InvalidRequest."""
        try:
            parts = urlsplit(url)
            host, port = normal_host(parts.hostname or ""), parts.port
        except ValueError as error:
            raise InvalidRequest(f"url: {error}") from error
        scheme = parts.scheme.lower()
        if scheme not in PAGE_SCHEMES:
            raise BlockedScheme(f"only http and https pages are captured, not {scheme or 'a url without a scheme'}")
        try:
            self.check_target(host, port or DEFAULT_PORTS[scheme])
        except Refusal as refusal:
            raise blocked(refusal) from refusal

    def check_document(self, url: str) -> None:
        """Judge the url of any document, frames included, which may also be inline."""
        if urlsplit(url).scheme.lower() not in INLINE_SCHEMES:
            self.check_page(url)

    def _check_address(self, address: Address, is_allowed: bool = False) -> None:
        inner = getattr(address, "ipv4_mapped", None)
        forms = {address, inner or address}
        if any(form in network for form in forms for network in self.deny_networks):
            raise Refusal(Reason.DENY_LIST)
        if is_allowed or any(form in network for form in forms for network in self.allow_networks):
            return
        kind = classify(address)
        if not kind.is_public:
            raise Refusal(kind)

    def _is_denied_name(self, host: str) -> bool:
        parents = {f".{'.'.join(host.split('.')[at:])}" for at in range(host.count(".") + 1)}
        return host in self.deny_hosts or bool(parents & self.deny_hosts)


def blocked(refusal: Refusal) -> BlockedAddress:
    """The error of a capture whose document was refused: it names the class, never the address."""
    return BlockedAddress(f"the page is at {refusal.reason.words} ({refusal.reason.metric})")


def normal_host(host: str) -> str:
    """Lower case, without brackets and without the dot of the root."""
    return host.strip().lower().removeprefix("[").removesuffix("]").removesuffix(".")


def is_local_name(host: str) -> bool:
    """Names that by definition stay on this machine or network (RFC 6761, RFC 6762, ICANN's .internal)."""
    return host == "localhost" or host.endswith(LOCAL_SUFFIXES)


def _network(entry: str) -> Network | None:
    try:
        return ipaddress.ip_network(entry.strip())
    except ValueError:
        return None
