"""The guard without a browser: an origin, a resolver with given answers, a request."""

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


class ScriptedResolver:
    """A resolver that gives one answer after the other, and counts the lookups."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.lookups = 0

    async def resolve(self, host: str) -> tuple[Address, ...]:
        self.lookups += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return tuple(ip_address(each) for each in answer)


@contextlib.asynccontextmanager
async def origin(serve: Serve) -> AsyncIterator[int]:
    """A server on loopback; yields its port."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@contextlib.asynccontextmanager
async def guard(*allowed: str, resolver: Any = None, limits: Limits | None = None) -> AsyncIterator[GuardSession]:
    async with EgressGuard(EgressPolicy.of(allowed), resolver, limits).session() as session:
        yield session


async def send(session: GuardSession, *parts: bytes) -> bytes:
    """Send the parts on one connection to the guard; returns everything until its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", session.port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


def echo_requests(seen: list[bytes], answer: bytes) -> Serve:
    """Record the head of every request on the connection, and send the same answer to each."""

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
    """Record the connections that the guard tries to open from now on, instead of opening them."""
    dialed: list[str] = []

    async def refuse(host: str, port: int) -> Any:
        dialed.append(f"{host} {port}")
        raise ConnectionRefusedError

    monkeypatch.setattr("stillframe_renderer.guard.session.open_connection", refuse)
    return dialed
