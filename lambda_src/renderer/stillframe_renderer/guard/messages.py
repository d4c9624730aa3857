"""HTTP/1.1 messages in transit: heads are parsed and checked, bodies are forwarded unchanged."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

import httptools

from stillframe.egress.hosts import DEFAULT_PORTS
from stillframe.egress.policy import Reason, Refusal

MAX_HEAD_BYTES = 128 * 1024
# Meant for the proxy and not for the origin (RFC 9110, 7.6.1).
HOP_BY_HOP = frozenset({b"proxy-connection", b"proxy-authorization", b"proxy-authenticate"})


@dataclass(slots=True)
class Request:
    """A request as it is parsed: httptools calls the methods `on_...`."""

    url: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    has_head: bool = False
    is_complete: bool = False
    is_chunked: bool = False
    keeps_alive: bool = False
    parser: httptools.HttpRequestParser = field(init=False)

    def __post_init__(self) -> None:
        self.parser = httptools.HttpRequestParser(self)

    @property
    def method(self) -> bytes:
        return bytes(self.parser.get_method())

    def feed(self, data: bytes) -> None:
        """Parse more data. Raises HttpParserError if it is malformed, Refusal for a pipelined request."""
        # After CONNECT and Upgrade, the parser signals the switch by raising.
        with contextlib.suppress(httptools.HttpParserUpgrade):
            self.parser.feed_data(data)

    def pop_body(self) -> bytes:
        """Remove and return the part of the body parsed since the last call, chunked again if the request was."""
        body = bytes(self.body)
        self.body.clear()
        return body

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))
        self.is_chunked = self.is_chunked or name.lower() == b"transfer-encoding"

    def on_headers_complete(self) -> None:
        # A second head before the first request has been answered: browsers do not pipeline, request smuggling does.
        if self.has_head:
            raise Refusal(Reason.UNPARSABLE)
        self.has_head = True

    def on_body(self, body: bytes) -> None:
        self.body += b"%x\r\n%b\r\n" % (len(body), body) if self.is_chunked else body

    def on_message_complete(self) -> None:
        self.is_complete = True
        self.keeps_alive = self.parser.should_keep_alive()
        if self.is_chunked:
            self.body += b"0\r\n\r\n"

    def authority(self) -> tuple[str, int]:
        """The host and port of a CONNECT request. Raises Refusal."""
        host, colon, port = self.url.decode("ascii", "replace").rpartition(":")
        if not colon or not host or not port.isdigit():
            raise Refusal(Reason.UNPARSABLE)
        return host, int(port)

    def target(self) -> tuple[str, int, bytes]:
        """The host, port and origin form of a request in absolute form (RFC 9112, 3.2.2). Raises Refusal."""
        try:
            url = httptools.parse_url(self.url)
        except httptools.HttpParserInvalidURLError as error:
            raise Refusal(Reason.UNPARSABLE) from error
        if url.schema != b"http" or not url.host or url.userinfo:
            raise Refusal(Reason.UNPARSABLE)
        path = (url.path or b"/") + (b"?" + url.query if url.query is not None else b"")
        return url.host.decode("ascii", "replace"), url.port or DEFAULT_PORTS["http"], path

    def origin_head(self, path: bytes) -> bytes:
        """The head as sent to the origin: its only Host header is the authority of the URL."""
        authority = self.url.partition(b"://")[2].partition(b"/")[0].partition(b"?")[0]
        kept = [(name, value) for name, value in self.headers if name.lower() not in HOP_BY_HOP | {b"host"}]
        lines = [self.method + b" " + path + b" HTTP/1.1", b"Host: " + authority]
        return b"\r\n".join([*lines, *(name + b": " + value for name, value in kept), b"", b""])


@dataclass(slots=True)
class Response:
    """Finds the end of a response. Informational responses (1xx) are followed by the final one."""

    is_head: bool = False
    parser: httptools.HttpResponseParser = field(init=False)
    is_complete: bool = False
    is_upgrade: bool = False
    keeps_alive: bool = False

    def __post_init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)

    def on_headers_complete(self) -> None:
        status = self.parser.get_status_code()
        self.is_upgrade = status == 101
        # A response to HEAD has no body, whatever its headers say (RFC 9110, 9.3.2).
        if self.is_head and status >= 200:
            self.is_complete = True

    def on_message_complete(self) -> None:
        self.is_complete = self.is_complete or self.parser.get_status_code() >= 200
        # The parser knows this at this moment only, and not after a HEAD, for which it still expects a body.
        self.keeps_alive = not self.is_head and self.parser.should_keep_alive()

    def feed(self, data: bytes) -> bool:
        """Parse more data. Returns whether more follows; data that is not HTTP ends with the connection."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.is_upgrade = True
        except httptools.HttpParserError:
            return not self.is_complete
        return not self.is_complete
