"""The guard's state for one capture: names resolved, connections made and refused, bytes received."""

from __future__ import annotations

import asyncio
import logging
from asyncio import open_connection
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlsplit

from stillframe.egress.addresses import Address, AddressClass
from stillframe.egress.hosts import DEFAULT_PORTS, canonical_host, parse_address
from stillframe.egress.policy import EgressPolicy, Reason, Refusal, blocked_address
from stillframe.errors import (
    CaptureError,
    ConnectionFailed,
    ConnectionRefused,
    ConnectTimeout,
    PageTooLarge,
    ResolverFailed,
    UnknownHost,
    WorkerFault,
)
from stillframe.worker_faults import is_exhaustion

from .resolver import Resolver, ResolverUnavailable

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
MAX_CONNECTIONS = 256
# A page with every kind of embedded service has a few dozen hosts.
MAX_LOOKUPS = 512
# Log lines about refused hosts per capture: a page can make up as many hosts as it likes.
MAX_LOGGED_REFUSALS = 20

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one capture: bytes from and to the network, connections open at once, names looked up."""

    page_bytes: int = 256 * 1024 * 1024
    connections: int = MAX_CONNECTIONS
    lookups: int = MAX_LOOKUPS


class DialFailed(Exception):
    """No connection could be made, although the policy allows it."""


class GuardSession:
    """Dials for one capture and keeps account of it. `own_ports` are the ports of guards, which are never dialled."""

    def __init__(self, policy: EgressPolicy, resolver: Resolver, limits: Limits, own_ports: set[int]) -> None:
        self._policy = policy
        self._resolver = resolver
        self._limits = limits
        self._own_ports = own_ports
        self._answers: dict[str, asyncio.Task[tuple[Address, ...]]] = {}
        self._failures: dict[tuple[str, int], CaptureError] = {}
        self._open = 0
        self._logged = 0
        self._bytes = 0
        self.refused: Counter[str] = Counter()
        self.port = 0

    @property
    def url(self) -> str:
        """The URL of the proxy, for Chromium."""
        return f"http://127.0.0.1:{self.port}"

    def explain(self, url: str) -> CaptureError | None:
        """Why the guard did not connect to the host of a URL; None if it did, or was not asked to."""
        try:
            parts = urlsplit(url)
            key = canonical_host(parts.hostname or ""), parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
        except ValueError:
            return None
        return self.exceeded or self._failures.get(key)

    @property
    def exceeded(self) -> PageTooLarge | None:
        """The error of a page that has loaded more than it may, or None."""
        if self._bytes <= self._limits.page_bytes:
            return None
        return PageTooLarge(f"the page is larger than {self._limits.page_bytes:,} bytes")

    async def dial(self, host: str, port: int) -> Streams:
        """Resolve the host, check its addresses and connect. Raises Refusal or DialFailed; `explain` knows of both."""
        try:
            host = canonical_host(host)
        except ValueError as error:
            refusal = Refusal(Reason.UNPARSABLE)
            self._record_refusal(host, port, refusal)
            raise refusal from error
        try:
            addresses = await self._allowed_addresses(host, port)
            self._check_connections()
        except Refusal as refusal:
            self._record_refusal(host, port, refusal)
            raise
        except ResolverUnavailable as error:
            self._failures[host, port] = ResolverFailed("the name server did not answer the query for the host name")
            raise DialFailed from error
        return await self._connect(host, port, addresses)

    def count_refusal(self, error: CaptureError) -> None:
        """Count a request that was refused before it reached the guard."""
        cause = error.__cause__
        self.refused[cause.reason.metric if isinstance(cause, Refusal) else Reason.SCHEME.metric] += 1

    async def close(self) -> None:
        """Cancel the lookups in progress."""
        for answer in self._answers.values():
            answer.cancel()
        await asyncio.gather(*self._answers.values(), return_exceptions=True)

    def opened(self) -> None:
        """Count a connection that was opened."""
        self._open += 1

    def closed(self) -> None:
        """Count a connection that was closed."""
        self._open -= 1

    def count_bytes(self, count: int) -> None:
        """Count bytes from or to the network. Raises Refusal if they exceed the page's limit."""
        self._bytes += count
        if self._bytes > self._limits.page_bytes:
            self.refused[Reason.BYTES.metric] += 1
            raise Refusal(Reason.BYTES)

    async def _allowed_addresses(self, host: str, port: int) -> tuple[Address, ...]:
        self._policy.check_target(host, port)
        literal = parse_address(host)
        addresses = (literal,) if literal is not None else await self._resolved(host)
        self._policy.check_addresses(host, port, addresses)
        if port in self._own_ports and any(address.is_loopback for address in addresses):
            raise Refusal(AddressClass.LOOPBACK)
        return addresses

    async def _resolved(self, host: str) -> tuple[Address, ...]:
        """One answer per name and capture: the addresses checked are those dialled, and a name costs one query."""
        if host not in self._answers:
            if len(self._answers) >= self._limits.lookups:
                raise Refusal(Reason.LOOKUPS)
            self._answers[host] = asyncio.ensure_future(self._resolver.resolve(host))
        return await asyncio.shield(self._answers[host])

    async def _connect(self, host: str, port: int, addresses: tuple[Address, ...]) -> Streams:
        for address in addresses:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await open_connection(str(address), port)
            except OSError as error:
                logger.debug("connection failed", extra={"host": host, "port": port, "error": str(error)})
                self._failures[host, port] = _connection_error(error)
        raise DialFailed

    def _check_connections(self) -> None:
        if self._open >= self._limits.connections:
            raise Refusal(Reason.LIMIT)

    def _record_refusal(self, host: str, port: int, refusal: Refusal) -> None:
        """Log one line per host and port, however often the page tries, and not too many in all."""
        metric = refusal.reason.metric
        self.refused[metric] += 1
        if (host, port) in self._failures:
            return
        if refusal.reason is Reason.UNRESOLVED:
            self._failures[host, port] = UnknownHost("the host name does not resolve")
        else:
            self._failures[host, port] = blocked_address(refusal)
        self._logged += 1
        if self._logged <= MAX_LOGGED_REFUSALS:
            logger.warning("connection refused", extra={"decision": metric, "host": host, "port": port})
        elif self._logged == MAX_LOGGED_REFUSALS + 1:
            logger.warning("further refused connections of this capture are counted, and not logged")


def _connection_error(error: OSError) -> CaptureError:
    """The CaptureError for a failed connection. `TimeoutError` is a subclass of OSError."""
    if is_exhaustion(error):
        return WorkerFault(f"no connection can be opened: {error.strerror}")
    if isinstance(error, ConnectionRefusedError):
        return ConnectionRefused("the host refuses connections on the port")
    if isinstance(error, TimeoutError):
        return ConnectTimeout("the host did not accept a connection in time")
    return ConnectionFailed("the connection to the host failed")
