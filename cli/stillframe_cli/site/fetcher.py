"""Fetches what a crawl reads beside the pages: robots.txt and sitemaps, and only from where a page may connect to."""

from __future__ import annotations

import http.client
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from time import time
from urllib.parse import urldefrag, urljoin

from stillframe import __version__
from stillframe.egress.connection import Dialer, Lookup, NotConnected, PinnedConnection, Target, describe_error, resolve
from stillframe.egress.policy import EgressPolicy

TOTAL_SECONDS = 30.0
# "Crawlers SHOULD follow at least five consecutive redirects" (RFC 9309, 2.3.1.2).
MAX_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
CHUNK_BYTES = 64 * 1024
GZIP_MAGIC = b"\x1f\x8b"
HEADERS = {
    "User-Agent": f"Stillframe/{__version__}",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


class NotFetched(Exception):
    """There is no answer. The reason names no address."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooManyRedirects(NotFetched):
    """The answer is behind more redirects than are followed."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer, unpacked if it was a gzip file. `is_truncated` says that its body was longer than it may be."""

    status: int
    body: bytes
    is_truncated: bool


Fetch = Callable[[str, int], Fetched]


class Fetcher:
    """Gets small files over HTTP. Each redirect is judged as the first URL is."""

    def __init__(self, policy: EgressPolicy, lookup: Lookup = resolve, total_seconds: float = TOTAL_SECONDS) -> None:
        self._dialer = Dialer(policy, lookup)
        self._total_seconds = total_seconds

    def fetch(self, url: str, max_bytes: int) -> Fetched:
        """Get a URL, with at most `max_bytes` of its body, also after unpacking. Raises NotFetched."""
        ends_at = time() + self._total_seconds
        for _ in range(MAX_REDIRECTS + 1):
            target = _target(url)
            answer = self._get(target, max_bytes, ends_at)
            if isinstance(answer, Fetched):
                return answer
            try:
                url = urldefrag(urljoin(url, answer)).url
            except ValueError as error:
                raise NotFetched("a redirect to what is no URL") from error
        raise TooManyRedirects(f"more than {MAX_REDIRECTS} redirects")

    def _get(self, target: Target, max_bytes: int, ends_at: float) -> Fetched | str:
        """The answer, or where it redirects to. Raises NotFetched."""
        try:
            connection = self._dialer.dial(target, ends_at)
        except NotConnected as error:
            raise NotFetched(error.reason) from error
        try:
            answer = connection.exchange("GET", HEADERS, None, ends_at)
            location = answer.headers.get("Location")
            if answer.status in REDIRECTS and location:
                # Header fields are read as Latin-1; browsers take the bytes for UTF-8.
                return location.strip().encode("latin-1", "replace").decode("utf-8", "replace")
            body = _read(connection, answer, max_bytes)
        except (OSError, http.client.HTTPException, ValueError) as error:
            is_late = connection.is_cut or isinstance(error, TimeoutError)
            raise NotFetched("no answer in time" if is_late else f"no answer: {describe_error(error)}") from error
        finally:
            connection.end()
        is_truncated = len(body) > max_bytes
        if body.startswith(GZIP_MAGIC):
            body, is_truncated = _unpack(body, max_bytes)
        return Fetched(answer.status, body[:max_bytes], is_truncated)


def _target(url: str) -> Target:
    """Raises NotFetched for a URL that nothing can be sent to."""
    if any(char.isspace() or not char.isprintable() for char in url):
        raise NotFetched("refused: the URL contains white space or control characters")
    try:
        target = Target.of(url)
    except NotConnected as error:
        raise NotFetched(error.reason) from error
    if target.path.isascii():
        return target
    # RFC 3987, 3.1.
    encoded = "".join(
        char if char.isascii() else "".join(f"%{byte:02X}" for byte in char.encode()) for char in target.path
    )
    return Target(target.host, target.port, encoded, target.authority, target.is_https)


def _read(connection: PinnedConnection, answer: http.client.HTTPResponse, max_bytes: int) -> bytes:
    """The body, or a bit more of it than `max_bytes`."""
    body = bytearray()
    while len(body) <= max_bytes and (chunk := answer.read(CHUNK_BYTES)):
        body += chunk
        connection.check_time()
    connection.check_time()
    return bytes(body)


def _unpack(body: bytes, max_bytes: int) -> tuple[bytes, bool]:
    """What is in a gzip file (RFC 1952), and whether it is longer. A few bytes may stand for gigabytes."""
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        unpacked = unpacker.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise NotFetched("it is a damaged gzip file") from error
    return unpacked, len(unpacked) > max_bytes
