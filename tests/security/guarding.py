"""The guard without a browser: an origin, a resolver that is told what to say, a request."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from ipaddress import ip_address
from typing import Any

import pytest

from stillframe.egress.addresses import Address
from stillframe.egress.policy import EgressPolicy
from stillframe_renderer.guard.server import EgressGuard
from stillframe_renderer.guard.session import GuardSession, Limits

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


class Told:
    """A resolver that says one thing after the other, and counts how often it was asked."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def resolve(self, host: str) -> tuple[Address, ...]:
        self.asked += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return tuple(ip_address(each) for each in answer)


@contextlib.asynccontextmanager
async def origin(serve: Serve) -> AsyncIterator[int]:
    """A server of ours on loopback; the port that it listens on."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@contextlib.asynccontextmanager
async def guard(*allowed: str, resolver: Any = None, limits: Limits | None = None) -> AsyncIterator[GuardSession]:
    async with EgressGuard(EgressPolicy.of(allowed), resolver, limits).session() as session:
        yield session


async def ask(session: GuardSession, *parts: bytes) -> bytes:
    """Send the parts on one connection and read to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", session.port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


def echo_requests(seen: list[bytes], answer: bytes) -> Serve:
    """Keep what comes in up to the end of its head, and say the answer; as often as it is asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                seen.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(answer)
                await writer.drain()
        writer.close()

    return serve


HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def record_dials(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """From here on the guard's own connections are written down instead of made."""
    dialled: list[str] = []

    async def refuse(host: str, port: int) -> Any:
        dialled.append(f"{host} {port}")
        raise ConnectionRefusedError

    monkeypatch.setattr("stillframe_renderer.guard.session.open_connection", refuse)
    return dialled
