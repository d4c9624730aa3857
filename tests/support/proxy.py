"""A proxy between a worker and the emulator, where a test can interfere with single AWS calls."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Call:
    """An AWS call on its way: `PUT /bucket/key`, or `POST /` with the operation from its header.

    `status` is 0 until the call has taken effect.
    """

    method: str
    path: str
    operation: str
    status: int = 0


class Verdict(Enum):
    """What happens to a call before it takes effect, or to its answer afterwards."""

    PASS = "pass"
    DROP = "drop"  # the connection is closed
    UNAVAILABLE = "unavailable"  # HTTP 503
    DENIED = "denied"  # HTTP 403, AccessDenied
    HELD = "held"  # no answer, for as long as the caller waits


DENIAL_JSON = b'{"__type": "com.amazonaws#AccessDeniedException", "message": "not authorized to perform this action"}'
DENIAL_XML = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
Interference = Callable[[Call], Verdict]


def untouched(_: Call) -> Verdict:
    """No interference."""
    return Verdict.PASS


class QuietServer(http.server.ThreadingHTTPServer):
    """Does not log connections that a killed worker leaves behind."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextlib.contextmanager
def proxying(endpoint: str, before: Interference = untouched, after: Interference = untouched) -> Iterator[str]:
    """Forward calls to the endpoint. `before` decides before a call takes effect, `after` before it is answered."""
    target = urlsplit(endpoint)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            call = Call(self.command, self.path, self.headers.get("X-Amz-Target", "").rpartition(".")[2])
            with contextlib.suppress(OSError):
                if not self.apply_verdict(before(call)):
                    return
                answer, content = self.call_upstream(body)
                if self.apply_verdict(after(replace(call, status=answer.status))):
                    self.send_answer(answer, content)

        def call_upstream(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
            upstream = http.client.HTTPConnection(target.hostname or "", target.port, timeout=60)
            try:
                upstream.request(self.command, self.path, body, dict(self.headers.items()))
                answer = upstream.getresponse()
                return answer, answer.read()
            finally:
                upstream.close()

        def apply_verdict(self, verdict: Verdict) -> bool:
            if verdict is Verdict.UNAVAILABLE:
                self.send_response(503)
                self.send_header("Content-Length", "0")
                self.end_headers()
            if verdict is Verdict.DENIED:
                self.deny()
            if verdict is Verdict.HELD:
                # Until the caller gives up and closes the connection.
                self.rfile.read(1)
            self.close_connection = verdict in (Verdict.DROP, Verdict.HELD) or self.close_connection
            return verdict is Verdict.PASS

        def deny(self) -> None:
            """Answer as S3 does, in XML, or as SQS and DynamoDB do, in JSON."""
            is_json = "X-Amz-Target" in self.headers
            content = DENIAL_JSON if is_json else DENIAL_XML
            self.send_response(400 if is_json else 403)
            self.send_header("Content-Type", "application/x-amz-json-1.0" if is_json else "application/xml")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def send_answer(self, answer: http.client.HTTPResponse, content: bytes) -> None:
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                    self.send_header(name, value)
            length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
            self.send_header("Content-Length", length or "0")
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = forward

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class calls it so
            """Log nothing."""

    server = QuietServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
