"""What one capture may reach, what it reached for, and what it was refused."""

from __future__ import annotations

import asyncio
import logging
from asyncio import open_connection
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from stillframe.egress.addresses import Address, AddressClass, parse_address
from stillframe.egress.policy import DEFAULT_PORTS, EgressPolicy, Reason, Refusal, blocked_address, normalized_host
from stillframe.errors import (
    CaptureError,
    ConnectionFailed,
    ConnectionRefused,
    ConnectTimeout,
    PageTooLarge,
    ResolverFailed,
    UnknownHost,
)

from .resolver import Resolver, ResolverSilent

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
MAX_CONNECTIONS = 256

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[str, int], Awaitable[Streams]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one capture: bytes received from the network, connections open at once."""

    page_bytes: int = 256 * 1024 * 1024
    connections: int = MAX_CONNECTIONS


class DialFailed(Exception):
    """Nobody answered at an address that may be dialled."""


class GuardSession:
    """The guard's account of one capture. `own_ports` are those of guards, which are never dialled."""

    def __init__(self, policy: EgressPolicy, resolver: Resolver, limits: Limits, own_ports: set[int]) -> None:
        self._policy = policy
        self._resolver = resolver
        self._limits = limits
        self._own_ports = own_ports
        self._answers: dict[str, asyncio.Task[tuple[Address, ...]]] = {}
        self._failures: dict[tuple[str, int], CaptureError] = {}
        self._open = 0
        self._received = 0
        self.refused: Counter[str] = Counter()
        self.port = 0

    @property
    def url(self) -> str:
        """The proxy, as Chromium wants it named."""
        return f"http://127.0.0.1:{self.port}"

    def explain(self, url: str) -> CaptureError | None:
        """Why the guard did not connect to the host of a url, if that is what happened."""
        try:
            parts = urlsplit(url)
            key = normalized_host(parts.hostname or ""), parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
        except ValueError:
            return None
        return self.exceeded or self._failures.get(key)

    @property
    def exceeded(self) -> PageTooLarge | None:
        """The error of a page that loaded more than it may."""
        if self._received <= self._limits.page_bytes:
            return None
        return PageTooLarge(f"the page is larger than {self._limits.page_bytes} bytes")

    async def dial(self, host: str, port: int) -> Streams:
        """Resolve, judge, connect. Raises Refusal, or DialFailed when nobody answers; either is on the account."""
        host = normalized_host(host)
        try:
            addresses = await self._judged(host, port)
            self._check_room()
        except Refusal as refusal:
            self._refuse(host, port, refusal)
            raise
        except ResolverSilent as error:
            self._failures[host, port] = ResolverFailed("the name server did not answer for the name of the host")
            raise DialFailed from error
        return await self._connect(host, port, addresses)

    def count(self, error: CaptureError) -> None:
        """Take what was refused before it came here into the account."""
        cause = error.__cause__
        self.refused[cause.reason.metric if isinstance(cause, Refusal) else Reason.SCHEME.metric] += 1

    def opened(self) -> None:
        """A connection is open."""
        self._open += 1

    def closed(self) -> None:
        """A connection is closed."""
        self._open -= 1

    def received(self, count: int) -> None:
        """Count bytes from the network. Raises Refusal when they are too many for one page."""
        self._received += count
        if self._received > self._limits.page_bytes:
            self.refused[Reason.BYTES.metric] += 1
            raise Refusal(Reason.BYTES)

    async def _judged(self, host: str, port: int) -> tuple[Address, ...]:
        self._policy.check_target(host, port)
        literal = parse_address(host)
        addresses = (literal,) if literal is not None else await self._resolved(host)
        self._policy.check_addresses(host, port, addresses)
        if port in self._own_ports and any(address.is_loopback for address in addresses):
            raise Refusal(AddressClass.LOOPBACK)
        return addresses

    async def _resolved(self, host: str) -> tuple[Address, ...]:
        """One answer for a capture: what was judged is what is dialled, and a name costs one query."""
        if host not in self._answers:
            self._answers[host] = asyncio.ensure_future(self._resolver.resolve(host))
        return await asyncio.shield(self._answers[host])

    async def _connect(self, host: str, port: int, addresses: tuple[Address, ...]) -> Streams:
        for address in addresses:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await open_connection(str(address), port)
            except OSError as error:
                logger.debug("no connection", extra={"host": host, "port": port, "error": str(error)})
                self._failures[host, port] = _failure_of(error)
        raise DialFailed

    def _check_room(self) -> None:
        if self._open >= self._limits.connections:
            raise Refusal(Reason.LIMIT)

    def _refuse(self, host: str, port: int, refusal: Refusal) -> None:
        """One canonical line for a host and a port, however often the page tries."""
        metric = refusal.reason.metric
        self.refused[metric] += 1
        if (host, port) in self._failures:
            return
        if refusal.reason is Reason.UNRESOLVED:
            self._failures[host, port] = UnknownHost("the name of the host does not resolve")
        else:
            self._failures[host, port] = blocked_address(refusal)
        logger.warning("connection refused", extra={"decision": metric, "host": host, "port": port})


def _failure_of(error: OSError) -> CaptureError:
    """What the last address of a host said. `TimeoutError` is an OSError of its own."""
    if isinstance(error, ConnectionRefusedError):
        return ConnectionRefused("the host refuses connections at the port")
    if isinstance(error, TimeoutError):
        return ConnectTimeout("the host did not take a connection in time")
    return ConnectionFailed("there is no connection to the host")
