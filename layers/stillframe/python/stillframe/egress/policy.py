"""Where a browser may connect: the policy of the egress guard, and the check on a URL's own text.

It fails closed: a host that cannot be parsed, or that resolves to any address that is not public, is refused.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from stillframe.egress.addresses import Address, AddressClass, Network, classify, embedded_addresses
from stillframe.egress.hosts import DEFAULT_PORTS, canonical_host, parse_address
from stillframe.errors import BlockedAddress, BlockedScheme, InvalidRequest

PAGE_SCHEMES = frozenset({"http", "https"})
# Schemes that a page may load into its own frames, because no request leaves the browser.
INLINE_SCHEMES = frozenset({"about", "blob", "data"})
# After a host of the allow list: with every port.
EVERY_PORT = "*"
LOCAL_SUFFIXES = (".localhost", ".local", ".internal")


class Reason(Enum):
    """Why a connection is refused, other than for the class of its address; each with a metric and a description."""

    LOCAL_NAME = ("deny.local_name", "a name that is local by definition")
    SCHEME = ("deny.scheme", "a scheme other than http and https")
    PORT = ("deny.port", "a port that is not allowed")
    DENY_LIST = ("deny.list", "a host on the deny list")
    UNRESOLVED = ("deny.unresolved", "a name that does not resolve")
    UNPARSABLE = ("deny.unparsable", "a malformed request")
    LIMIT = ("deny.limit", "more connections than a capture may have")
    LOOKUPS = ("deny.lookups", "more names than a capture may look up")
    OWN_ENDPOINT = ("deny.own_endpoint", "the AWS endpoint of this machine")
    BYTES = ("deny.bytes", "more bytes than a page may have")

    def __init__(self, metric: str, description: str) -> None:
        self.metric = metric
        self.description = description


class Refusal(Exception):
    """The policy forbids a connection, for `reason`."""

    def __init__(self, reason: Reason | AddressClass) -> None:
        super().__init__(reason.description)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """Which hosts and addresses a browser may connect to.

    `allow_hosts` match exactly: `host` (default ports), `host:port`, or `host:*` (every port). `allow_networks` are
    addresses that count as public, for pages inside a VPC. `deny_hosts` (a leading dot means every name below it) and
    `deny_networks` take precedence over everything else, and so do `own_ports`, which no address of this machine may be
    reached at.
    """

    allow_hosts: frozenset[str] = frozenset()
    allow_networks: tuple[Network, ...] = ()
    deny_hosts: frozenset[str] = frozenset()
    deny_networks: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset(DEFAULT_PORTS.values())
    own_ports: frozenset[int] = frozenset()

    @classmethod
    def of(
        cls,
        allow_hosts: Iterable[str] = (),
        allow_cidrs: Iterable[str] = (),
        deny: Iterable[str] = (),
        ports: Iterable[int] = (),
        own_ports: Iterable[int] = (),
    ) -> EgressPolicy:
        """Create a policy from text, as in the settings. Raises ValueError for an invalid CIDR."""
        hosts, networks = [], []
        for entry in deny:
            network = _network(entry)
            if network is None:
                hosts.append(_denied_name(entry))
            else:
                networks.append(network)
        return cls(
            allow_hosts=frozenset(_allowed_host(host) for host in allow_hosts),
            allow_networks=tuple(ipaddress.ip_network(cidr.strip()) for cidr in allow_cidrs),
            deny_hosts=frozenset(hosts),
            deny_networks=tuple(networks),
            ports=frozenset({*DEFAULT_PORTS.values(), *ports}),
            own_ports=frozenset(own_ports),
        )

    def is_allowed_host(self, host: str, port: int) -> bool:
        """Whether the allow list contains exactly this host and port."""
        name = f"[{host}]" if ":" in host else host
        is_plain = port in DEFAULT_PORTS.values() and host in self.allow_hosts
        return is_plain or not self.allow_hosts.isdisjoint({f"{name}:{port}", f"{name}:{EVERY_PORT}"})

    def check_target(self, host: str, port: int) -> None:
        """Check a host and port before the name is resolved. Raises Refusal."""
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
        """Check every address that a name resolved to: one that is not public is enough. Raises Refusal."""
        resolved = tuple(addresses)
        if not resolved:
            raise Refusal(Reason.UNRESOLVED)
        is_allowed = self.is_allowed_host(host, port)
        for address in resolved:
            if port in self.own_ports and any(not classify(form).leaves_machine for form in _forms(address)):
                raise Refusal(Reason.OWN_ENDPOINT)
            self._check_address(address, is_allowed)

    def check_page(self, url: str) -> None:
        """Check the URL of a page or of a redirect. Raises BlockedScheme, BlockedAddress or InvalidRequest."""
        try:
            parts = urlsplit(url)
            host, port = canonical_host(parts.hostname or ""), parts.port
        except ValueError as error:
            raise InvalidRequest(f"url: {error}") from error
        scheme = parts.scheme.lower()
        check_scheme(scheme)
        try:
            self.check_target(host, port or DEFAULT_PORTS[scheme])
        except Refusal as refusal:
            raise blocked_address(refusal) from refusal

    def check_document(self, url: str) -> None:
        """Check the URL of any document, including frames, which may also be inline. Raises as `check_page` does."""
        if urlsplit(url).scheme.lower() not in INLINE_SCHEMES:
            self.check_page(url)

    def _check_address(self, address: Address, is_allowed: bool = False) -> None:
        if any(form in network for form in _forms(address) for network in self.deny_networks):
            raise Refusal(Reason.DENY_LIST)
        dialled = getattr(address, "ipv4_mapped", None) or address
        if is_allowed or any(dialled in network for network in self.allow_networks):
            return
        kind = classify(address)
        if not kind.is_public:
            raise Refusal(kind)

    def _is_denied_name(self, host: str) -> bool:
        parents = {f".{'.'.join(host.split('.')[at:])}" for at in range(host.count(".") + 1)}
        return host in self.deny_hosts or bool(parents & self.deny_hosts)


def blocked_address(refusal: Refusal) -> BlockedAddress:
    """The error of a capture whose document was refused. It names the reason, never the address."""
    return BlockedAddress(f"the page is at {refusal.reason.description} ({refusal.reason.metric})")


def _forms(address: Address) -> tuple[Address, ...]:
    """An address, and those that it contains."""
    return (address, *embedded_addresses(address))


def is_local_name(host: str) -> bool:
    """Whether a name by definition stays on this machine or network (RFC 6761, RFC 6762, ICANN's .internal)."""
    return host == "localhost" or host.endswith(LOCAL_SUFFIXES)


def _denied_name(entry: str) -> str:
    """The canonical form of an entry of the deny list. A leading dot, which means every name below, is kept."""
    entry = entry.strip()
    return ("." if entry.startswith(".") else "") + canonical_host(entry.removeprefix("."))


def _allowed_host(entry: str) -> str:
    """The canonical form of an entry of the allow list, with its port if it has one."""
    host, colon, port = entry.strip().rpartition(":")
    is_port = port.isdigit() or port == EVERY_PORT
    if not colon or not is_port or (":" in host and not host.startswith("[")):
        return canonical_host(entry)
    name = canonical_host(host)
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def _network(entry: str) -> Network | None:
    try:
        return ipaddress.ip_network(entry.strip())
    except ValueError:
        return None


def check_scheme(scheme: str) -> None:
    """Check the scheme of a page's URL, in lower case. Raises BlockedScheme."""
    if scheme not in PAGE_SCHEMES:
        raise BlockedScheme(f"only http and https pages are captured, not {scheme or 'a URL without a scheme'}")
