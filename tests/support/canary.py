"""Servers on addresses that no page may reach: any connection to them is a hit."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

# How often a server checks whether it should stop.
POLL_SECONDS = 0.02
BIND_TRIES = 10
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\nAccess-Control-Allow-Origin: *\r\n"
    b"Connection: close\r\n\r\ncanary"
)


@dataclass
class Canary:
    """What arrived on one port of several addresses: connections, the first line of each, and datagrams."""

    port: int = 0
    hits: list[str] = field(default_factory=list)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Log nothing: a connection that breaks off was already counted as a hit."""


def _handler(canary: Canary) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        timeout = 2

        def handle(self) -> None:
            # A connection that sends nothing is a hit as well.
            canary.hits.append("connected")
            with contextlib.suppress(OSError):
                canary.hits.append(self.rfile.readline().decode(errors="replace").strip())
                self.wfile.write(ANSWER)

    return Handler


@contextlib.contextmanager
def canaries(hosts: tuple[str, ...], port: int = 0) -> Iterator[Canary]:
    """Listen on TCP and UDP, on one port of every given address; port 0 means a free port."""
    with contextlib.ExitStack() as stack:
        for left in reversed(range(BIND_TRIES)):
            canary = Canary(port)
            try:
                with contextlib.ExitStack() as bound:
                    _bind(hosts, canary, bound)
                    stack.push(bound.pop_all())
                break
            except OSError:
                # A port that is free at one address may be taken at another.
                if port or not left:
                    raise
        yield canary


def _bind(hosts: tuple[str, ...], canary: Canary, stack: contextlib.ExitStack) -> None:
    for host in hosts:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET

        class Server(_Server):
            address_family = family

        server = stack.enter_context(Server((host, canary.port), _handler(canary)))
        canary.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True).start()
        stack.callback(server.shutdown)
        datagrams = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
        datagrams.bind((host, canary.port))
        threading.Thread(target=_listen, args=(datagrams, canary), daemon=True).start()


def _listen(datagrams: socket.socket, canary: Canary) -> None:
    with contextlib.suppress(OSError):
        while data := datagrams.recv(2048):
            canary.hits.append(f"datagram of {len(data)} bytes")
