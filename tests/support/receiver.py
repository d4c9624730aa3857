"""A receiver of webhooks, which checks each one with the specification's own library."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from .serving import serving

# The status, the headers and the body that a receiver answers with. Without a status it breaks off.
Answer = tuple[int, dict[str, str], bytes]
ACCEPTED: Answer = (204, {}, b"")


@dataclass(frozen=True)
class Received:
    """One request. `event` is what the library made of it; None if it did not verify."""

    path: str
    headers: dict[str, str]
    content: bytes
    event: dict[str, Any] | None

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """What arrived. `answer` decides what each request is answered, and `secret` is what it is checked with."""

    secret: str
    answer: Callable[[Received], Answer] = lambda _: ACCEPTED
    address: str = ""
    received: list[Received] = field(default_factory=list)
    broken_off: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str = "/hook") -> str:
        return f"http://{self.address}{path}"

    @property
    def verified(self) -> list[Received]:
        return [each for each in self.received if each.event is not None]


@contextlib.contextmanager
def receiving(secret: str, answer: Callable[[Received], Answer] = lambda _: ACCEPTED) -> Iterator[Receiver]:
    """Serve on loopback until the block ends."""
    receiver = Receiver(secret, answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            content = self.rfile.read(length)
            if len(content) < length:
                # Its sender was killed in the middle of it: a server never hands such a request on.
                receiver.broken_off += 1
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                event = Webhook(receiver.secret).verify(content, headers)
            except WebhookVerificationError:
                event = None
            received = Received(self.path, headers, content, event)
            with receiver.lock:
                receiver.received.append(received)
                status, answered, body = receiver.answer(received)
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in answered.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Log nothing."""

    with serving(Handler) as address:
        receiver.address = address
        yield receiver
