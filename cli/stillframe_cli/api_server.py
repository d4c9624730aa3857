"""The API over HTTP on this machine: a request becomes an event of API Gateway, and the handler's answer a response."""

from __future__ import annotations

import base64
import contextlib
import http.server
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from stillframe_api.bodies import check_size
from stillframe_api.problems import HttpError

from .emulator import LOOPBACK

Handle = Callable[[dict[str, Any]], dict[str, Any]]

# A client that sends no more of its request must not keep a thread.
IDLE_SECONDS = 60
HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?", re.IGNORECASE)
MAX_DISCARDED_BYTES = 64 * 1024 * 1024
CHUNK_BYTES = 65_536
TEXT_TYPES = ("application/json", "text/", "application/xml", "application/javascript")


@contextlib.contextmanager
def serving(listener: socket.socket, handle: Handle) -> Iterator[str]:
    """Serve on a listening socket until the block ends, and yield `http://HOST:PORT`."""
    server = _Server(listener, handle)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="api", daemon=True)
    thread.start()
    host, port = listener.getsockname()[:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # Requests that wait for an image must not delay the end.
    block_on_close = False

    def __init__(self, listener: socket.socket, handle: Handle) -> None:
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.handle_event = handle

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error of the server, and of no interest to whoever reads its log."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    # A small answer leaves at once, and does not wait for an acknowledgement (RFC 896).
    disable_nagle_algorithm = True
    server: _Server

    def __getattr__(self, name: str) -> Any:
        """Every method is answered by the API, which knows which there are."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        try:
            event = self._event()
        except HttpError as error:
            self.close_connection = True
            problem = error.problem.to_response()
            headers = {"Content-Type": str(problem.content_type)}
            answer = {"statusCode": error.problem.status, "headers": headers, "body": problem.body}
        else:
            answer = self.server.handle_event(event)
        self._respond(answer)

    def _event(self) -> dict[str, Any]:
        """The event that API Gateway would make of this request (payload format 2.0). Raises HttpError."""
        self._check_origin()
        body = self._body()
        path, _, query = self.path.partition("?")
        content_type = self.headers.get("Content-Type", "")
        is_text = not content_type or content_type.startswith(TEXT_TYPES)
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": unquote(path),
            "rawQueryString": query,
            "headers": _joined((name.lower(), value) for name, value in self.headers.items()),
            "queryStringParameters": _joined(_pairs(query)),
            "requestContext": {
                "stage": "$default",
                "requestId": "local",
                "http": {"method": self.command, "path": unquote(path), "sourceIp": self.client_address[0]},
            },
            "isBase64Encoded": False,
        }
        with contextlib.suppress(UnicodeDecodeError):
            if is_text:
                return {**event, "body": body.decode()}
        return {**event, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}

    def _check_origin(self) -> None:
        """Refuse what a web page of another site sends, with its own name for this machine or in its own name.

        Whoever reaches loopback is trusted, and a browser reaches it on behalf of any page that it shows: by a name
        that resolves to loopback (DNS rebinding), or by a form. Raises HttpError.
        """
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        is_own = HOST.fullmatch(host) is not None and origin in (None, f"http://{host}")
        if not is_own:
            detail = f"only programs and pages of this machine may call, at {LOOPBACK}"
            raise HttpError(HTTPStatus.MISDIRECTED_REQUEST, "MISDIRECTED_REQUEST", detail)

    def _body(self) -> bytes:
        """Raises HttpError if the body is too large, or if nobody can tell its length."""
        if "Transfer-Encoding" in self.headers:
            raise HttpError(HTTPStatus.LENGTH_REQUIRED, "LENGTH_REQUIRED", "send the body with a Content-Length")
        length = self.headers.get("Content-Length", "0")
        if not length.isascii() or not length.isdigit():
            raise HttpError(HTTPStatus.BAD_REQUEST, "INVALID_PARAMETER", "Content-Length: must be a number")
        try:
            check_size(int(length))
        except HttpError:
            self._discard(int(length))
            raise
        return self.rfile.read(int(length))

    def _discard(self, length: int) -> None:
        """Read what is left of a body that is too large: before it has sent all of it, a client reads no answer."""
        left = min(length, MAX_DISCARDED_BYTES)
        while left > 0 and (chunk := self.rfile.read(min(left, CHUNK_BYTES))):
            left -= len(chunk)

    def _respond(self, answer: dict[str, Any]) -> None:
        body = answer.get("body") or ""
        data = base64.b64decode(body) if answer.get("isBase64Encoded") else str(body).encode()
        with contextlib.suppress(ConnectionError):
            self.send_response(int(answer["statusCode"]))
            for name, value in answer.get("headers", {}).items():
                self.send_header(name, str(value))
            # For HEAD it would be the length of the content of GET (RFC 9110, 8.6), which is not known here.
            if self.command != "HEAD":
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # name given by the base class
        """Log nothing: the API itself does."""


def _pairs(query: str) -> Iterator[tuple[str, str]]:
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        yield unquote(name.replace("+", " ")), unquote(value.replace("+", " "))


def _joined(pairs: Any) -> dict[str, str]:
    """Duplicates joined by commas, as API Gateway does."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: ",".join(values) for name, values in found.items()}
