"""A connection of our own to a URL that somebody else has chosen: judged, to a pinned address, and bounded.

What the egress guard is for pages, this is for webhooks and for what a crawl reads: a URL may name a host of the
owner's network, or a name that resolves to one, now or only at the moment of the connection (DNS rebinding).
"""

from __future__ import annotations

import concurrent.futures
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import time
from typing import Self
from urllib.parse import urlsplit

from stillframe.egress.addresses import Address
from stillframe.egress.hosts import DEFAULT_PORTS, canonical_host
from stillframe.egress.policy import EgressPolicy, Refusal

CONNECT_SECONDS = 5.0
# How many of a name's addresses are tried.
MAX_ADDRESSES = 3

Lookup = Callable[[str], Sequence[Address]]


class NotConnected(Exception):
    """There is no connection, or no answer. `is_final` says that another attempt would not help.

    The reason never names an address.
    """

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_final = is_final


def resolve(host: str) -> tuple[Address, ...]:
    """All addresses of a name, in the order of the system; empty if it has none."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in (socket.EAI_NONAME, socket.EAI_NODATA):
            return ()
        raise
    except UnicodeError:
        return ()
    return tuple(dict.fromkeys(ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found))


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads to."""

    host: str
    port: int
    path: str
    authority: str
    is_https: bool

    @classmethod
    def of(cls, url: str) -> Self:
        """Raises NotConnected for a URL that nothing can be sent to."""
        try:
            parts = urlsplit(url)
            host, port, scheme = canonical_host(parts.hostname or ""), parts.port, parts.scheme.lower()
        except ValueError as error:
            raise NotConnected(f"refused: {error}", is_final=True) from error
        if scheme not in DEFAULT_PORTS or not host:
            raise NotConnected("refused: no http or https URL", is_final=True)
        name = f"[{host}]" if ":" in host else host
        authority = name if port in (None, DEFAULT_PORTS[scheme]) else f"{name}:{port}"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(host, port or DEFAULT_PORTS[scheme], path, authority, scheme == "https")


class PinnedConnection(http.client.HTTPConnection):
    """A connection to one address, whatever the name resolves to by now."""

    def __init__(self, target: Target, address: Address, context: ssl.SSLContext | None) -> None:
        super().__init__(target.host, target.port)
        self._address = str(address)
        self._context = context
        self._target = target
        self._socket: socket.socket | None = None
        self._end: threading.Timer | None = None
        self.is_cut = False

    def connect_within(self, seconds: float) -> None:
        """Raises OSError."""
        if seconds <= 0:
            raise TimeoutError("no time was left")
        self.sock = socket.create_connection((self._address, self.port), seconds)
        if self._context is not None:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)

    def exchange(
        self, method: str, headers: Mapping[str, str], content: bytes | None, ends_at: float
    ) -> http.client.HTTPResponse:
        """Send a request and read the head of the answer. What is read of its body has to be there by then, too.

        Raises what `describe_error` describes.
        """
        left = max(0.1, ends_at - time())
        # http.client lets go of the socket as soon as it knows that the answer ends with the connection.
        self._socket = self.sock
        self._socket.settimeout(left)
        self._end = threading.Timer(left, self._cut)
        self._end.daemon = True
        self._end.start()
        self.request(method, self._target.path, content, {"Host": self._target.authority, **headers})
        answer = self.getresponse()
        self.check_time()
        return answer

    def check_time(self) -> None:
        """Raises TimeoutError if the connection was cut: what was read until then is no answer."""
        if self.is_cut:
            raise TimeoutError

    def end(self) -> None:
        """Close it. Not `close`, which http.client calls before the body is read."""
        if self._end is not None:
            self._end.cancel()
        self.close()

    def _cut(self) -> None:
        """End it from another thread, for a timeout is one of each call only. What was read until then is no answer:
        to whoever waits, the end of the connection may look like the end of the head.
        """
        self.is_cut = True
        try:
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


class Dialer:
    """Connects to where a policy allows. May be used from several threads."""

    def __init__(self, policy: EgressPolicy, lookup: Lookup = resolve, context: ssl.SSLContext | None = None) -> None:
        self._policy = policy
        self._lookup = lookup
        self._context = context or ssl.create_default_context()

    def dial(self, target: Target, ends_at: float) -> PinnedConnection:
        """Connect until `ends_at` (seconds since the epoch) to one of the addresses that were judged.

        Raises NotConnected.
        """
        try:
            self._policy.check_target(target.host, target.port)
            addresses = self._addresses(target, ends_at)
            self._policy.check_addresses(target.host, target.port, addresses)
        except Refusal as refusal:
            raise NotConnected(f"refused: {refusal.reason.description}", is_final=True) from refusal
        problem = ""
        for address in addresses[:MAX_ADDRESSES]:
            connection = PinnedConnection(target, address, self._context if target.is_https else None)
            try:
                connection.connect_within(min(CONNECT_SECONDS, ends_at - time()))
            except OSError as error:
                problem = describe_error(error)
                connection.end()
                continue
            return connection
        raise NotConnected(f"no connection: {problem or 'no time was left'}")

    def _addresses(self, target: Target, ends_at: float) -> tuple[Address, ...]:
        """Raises NotConnected."""
        try:
            return (ipaddress.ip_address(target.host),)
        except ValueError:
            pass
        # getaddrinfo(3) has no timeout of its own.
        pool = concurrent.futures.ThreadPoolExecutor(1)
        try:
            found = tuple(pool.submit(self._lookup, target.host).result(max(0.0, ends_at - time())))
        except (OSError, TimeoutError) as error:
            raise NotConnected("the name could not be looked up") from error
        finally:
            pool.shutdown(wait=False)
        if not found:
            # It may be there later: a host that is being set up.
            raise NotConnected("the name does not resolve")
        return found


def describe_error(error: Exception) -> str:
    """What went wrong, without the address that some of these errors quote."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not accepted ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason or type(error).__name__})"
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
