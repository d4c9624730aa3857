"""One POST to a URL that somebody else has chosen: judged, to a pinned address, without redirects, and bounded.

What the egress guard is for pages, this is for webhooks: a URL may name a host of the owner's network, or a name that
resolves to one, now or only at the moment of the connection (DNS rebinding).
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
from email.utils import parsedate_to_datetime
from time import time
from urllib.parse import urlsplit

from stillframe.egress.addresses import Address
from stillframe.egress.hosts import DEFAULT_PORTS, canonical_host
from stillframe.egress.policy import EgressPolicy, Refusal

CONNECT_SECONDS = 5.0
# "15 to 30 seconds" (Standard Webhooks, "Timeouts"): from the lookup of the name to the end of the answer's head.
TOTAL_SECONDS = 15.0
# How many of a name's addresses are tried.
MAX_ADDRESSES = 3
MAX_REASON_CHARS = 200

Lookup = Callable[[str], Sequence[Address]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver has answered. `retry_after` is in seconds."""

    status: int
    retry_after: float | None = None


class NotPosted(Exception):
    """There was no answer. `is_final` says that another attempt would not help; the message never names an address."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason[:MAX_REASON_CHARS]
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


class Endpoint:
    """Posts to URLs. May be used from several threads."""

    def __init__(
        self,
        policy: EgressPolicy,
        lookup: Lookup = resolve,
        total_seconds: float = TOTAL_SECONDS,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._lookup = lookup
        self._total_seconds = total_seconds
        self._context = context or ssl.create_default_context()

    def post(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        """Post once. Raises NotPosted."""
        ends_at = time() + self._total_seconds
        target = _Target.of(url)
        try:
            self._policy.check_target(target.host, target.port)
            addresses = self._addresses(target, ends_at)
            self._policy.check_addresses(target.host, target.port, addresses)
        except Refusal as refusal:
            raise NotPosted(f"refused: {refusal.reason.description}", is_final=True) from refusal
        problem = ""
        for address in addresses[:MAX_ADDRESSES]:
            connection = _Connection(target, address, self._context if target.is_https else None)
            try:
                connection.connect_within(min(CONNECT_SECONDS, ends_at - time()))
            except OSError as error:
                problem = _describe(error)
                continue
            return _exchange(connection, target, headers, content, ends_at)
        raise NotPosted(f"no connection: {problem or 'no time was left'}")

    def _addresses(self, target: _Target, ends_at: float) -> tuple[Address, ...]:
        """Raises NotPosted."""
        try:
            return (ipaddress.ip_address(target.host),)
        except ValueError:
            pass
        # getaddrinfo(3) has no timeout of its own.
        pool = concurrent.futures.ThreadPoolExecutor(1)
        try:
            found = tuple(pool.submit(self._lookup, target.host).result(max(0.0, ends_at - time())))
        except (OSError, TimeoutError) as error:
            raise NotPosted("the name could not be looked up") from error
        finally:
            pool.shutdown(wait=False)
        if not found:
            # It may be there later: a receiver that is being set up.
            raise NotPosted("the name does not resolve")
        return found


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a URL leads to."""

    host: str
    port: int
    path: str
    authority: str
    is_https: bool

    @classmethod
    def of(cls, url: str) -> _Target:
        """Raises NotPosted for a URL that nothing can be posted to."""
        try:
            parts = urlsplit(url)
            host, port, scheme = canonical_host(parts.hostname or ""), parts.port, parts.scheme.lower()
        except ValueError as error:
            raise NotPosted(f"refused: {error}", is_final=True) from error
        if scheme not in DEFAULT_PORTS or not host:
            raise NotPosted("refused: no http or https URL", is_final=True)
        name = f"[{host}]" if ":" in host else host
        authority = name if port in (None, DEFAULT_PORTS[scheme]) else f"{name}:{port}"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(host, port or DEFAULT_PORTS[scheme], path, authority, scheme == "https")


class _Connection(http.client.HTTPConnection):
    """A connection to one address, whatever the name resolves to by now."""

    def __init__(self, target: _Target, address: Address, context: ssl.SSLContext | None) -> None:
        super().__init__(target.host, target.port)
        self._address = str(address)
        self._context = context
        self.is_cut = False

    def connect_within(self, seconds: float) -> None:
        """Raises OSError."""
        if seconds <= 0:
            raise TimeoutError("no time was left")
        self.sock = socket.create_connection((self._address, self.port), seconds)
        if self._context is not None:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)

    def cut(self) -> None:
        """End it from another thread, for a timeout is one of each call only. What was read until then is no answer:
        to whoever waits, the end of the connection may look like the end of the head.
        """
        self.is_cut = True
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except (OSError, AttributeError):
            return


def _exchange(
    connection: _Connection, target: _Target, headers: Mapping[str, str], content: bytes, ends_at: float
) -> Answer:
    """Send the request and read the head of the answer. Its body is of no use, and may be endless."""
    left = max(0.1, ends_at - time())
    connection.sock.settimeout(left)
    end = threading.Timer(left, connection.cut)
    end.daemon = True
    end.start()
    try:
        connection.request("POST", target.path, content, {"Host": target.authority, **headers})
        answer = connection.getresponse()
        if connection.is_cut:
            raise TimeoutError
        return Answer(answer.status, _seconds(answer.headers.get("Retry-After")))
    except (OSError, http.client.HTTPException, ValueError) as error:
        is_late = connection.is_cut or isinstance(error, TimeoutError)
        raise NotPosted("no answer in time" if is_late else f"no answer: {_describe(error)}") from error
    finally:
        end.cancel()
        connection.close()


def _describe(error: Exception) -> str:
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


def _seconds(retry_after: str | None) -> float | None:
    """The seconds that a Retry-After asks for (RFC 9110, 10.2.3), or None for what is none."""
    if not retry_after:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except (ValueError, TypeError, OverflowError):
        return None
