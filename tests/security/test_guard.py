"""Which addresses the guard connects to."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket

import pytest

from stillframe.egress.addresses import Address
from stillframe.egress.policy import EgressPolicy
from stillframe_renderer.guard.resolver import ResolverUnavailable, SystemResolver
from stillframe_renderer.guard.server import EgressGuard
from stillframe_renderer.guard.session import Limits

from .guarding import ScriptedResolver, guard, origin, record_dials, send


@pytest.mark.parametrize(
    ("answers", "dialed"),
    [
        (["93.184.216.34"], ["93.184.216.34 443"]),
        (["2606:4700::1", "93.184.216.34"], ["2606:4700::1 443", "93.184.216.34 443"]),
        (["93.184.216.34", "127.0.0.1"], []),
        (["10.0.0.1"], []),
        (["::ffff:127.0.0.1"], []),
        (["64:ff9b::a00:1"], []),
        ([], []),
        # Addresses just outside refused ranges.
        (["9.255.255.255"], ["9.255.255.255 443"]),
        (["172.32.0.0"], ["172.32.0.0 443"]),
        (["100.128.0.0"], ["100.128.0.0 443"]),
    ],
)
def test_it_dials_the_addresses_that_it_checked(
    answers: list[str], dialed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with guard(resolver=ScriptedResolver(answers)) as session:
            answer = await send(session, b"CONNECT name.example:443 HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 403")

    dials = record_dials(monkeypatch)
    asyncio.run(scenario())
    assert dials == dialed


def test_a_rebound_name_keeps_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a name that resolves to a public address at first, and to loopback from then on
    resolver = ScriptedResolver(["93.184.216.34"], ["127.0.0.1"])

    async def scenario() -> None:
        async with guard(resolver=resolver) as session:
            for _ in range(3):
                await send(session, b"CONNECT rebind.example:443 HTTP/1.1\r\nHost: x\r\n\r\n")

    # When a capture connects to it several times
    dialed = record_dials(monkeypatch)
    asyncio.run(scenario())
    # Then it is looked up once, and every connection goes to the address that was checked
    assert (resolver.lookups, set(dialed)) == (1, {"93.184.216.34 443"})


def test_a_silent_resolver_is_a_transient_error() -> None:
    class Silent:
        async def resolve(self, host: str) -> tuple[Address, ...]:
            raise ResolverUnavailable

    async def scenario() -> None:
        async with guard(resolver=Silent()) as session:
            await send(session, b"CONNECT slow.example:443 HTTP/1.1\r\nHost: x\r\n\r\n")
            error = session.explain("https://slow.example/")
            assert error is not None
            assert error.code == "DNS_ERROR"

    asyncio.run(scenario())


@pytest.mark.parametrize("host", ["a..example", "x" * 64 + ".example", "a" * 300])
def test_a_name_that_cannot_exist_has_no_address(host: str) -> None:
    assert asyncio.run(SystemResolver().resolve(host)) == ()


def test_it_never_connects_to_a_guard() -> None:
    async def scenario() -> None:
        # Given guards whose policy allows their own addresses by mistake
        owner = EgressGuard(EgressPolicy.of(allow_cidrs=["127.0.0.0/8"], ports=range(1, 65536)))
        async with owner.session() as one, owner.session() as other:
            for session in (one, other):
                head = f"CONNECT 127.0.0.1:{one.port} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
                assert (await send(session, head)).startswith(b"HTTP/1.1 403")
            assert one.refused == {"deny.loopback": 1}

    asyncio.run(scenario())


def test_the_connections_of_a_capture_are_limited() -> None:
    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def scenario() -> None:
        async with origin(hold) as port, guard(f"127.0.0.1:{port}", limits=Limits(connections=2)) as session:
            head = f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            kept = []
            for _ in range(2):
                reader, writer = await asyncio.open_connection("127.0.0.1", session.port)
                writer.write(head)
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
                kept.append(writer)
            # When it opens one more, then that is refused; when one is closed, another can be opened
            assert (await send(session, head)).startswith(b"HTTP/1.1 403")
            assert session.refused == {"deny.limit": 1}
            kept[0].close()
            await asyncio.sleep(0.1)
            reader, writer = await asyncio.open_connection("127.0.0.1", session.port)
            writer.write(head)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            writer.close()
            kept[1].close()

    asyncio.run(scenario())


def test_the_bytes_of_a_page_are_limited() -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()

    async def scenario() -> None:
        async with origin(flood) as port, guard(f"127.0.0.1:{port}", limits=Limits(page_bytes=10**6)) as session:
            answer = await send(session, f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert 500_000 < len(answer) <= 10**6
            assert session.exceeded is not None
            assert session.exceeded.code == "PAGE_TOO_LARGE"

    asyncio.run(scenario())


@pytest.mark.parametrize("turns", range(8))
def test_a_connection_that_has_only_just_been_accepted_is_closed_with_the_capture(turns: int) -> None:
    async def scenario() -> None:
        # Given a connection, which the guard notices within a few turns of the event loop
        async with EgressGuard(EgressPolicy.of()).session() as session:
            client = socket.create_connection(("127.0.0.1", session.port))
            client.settimeout(2)
            for _ in range(turns):
                await asyncio.sleep(0)
        # When the capture ends before, during or after that
        for _ in range(10):
            await asyncio.sleep(0)
        # Then the connection has ended as well, and nothing of it is left to the garbage collector
        with client, contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""
        gc.collect()

    asyncio.run(scenario())


def test_open_connections_end_with_the_capture() -> None:
    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def scenario() -> None:
        async with origin(hold) as port:
            async with guard(f"127.0.0.1:{port}") as session:
                reader, writer = await asyncio.open_connection("127.0.0.1", session.port)
                writer.write(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                await reader.readuntil(b"\r\n\r\n")
            # Then the connection is closed, and the guard no longer listens
            async with asyncio.timeout(2):
                assert await reader.read() == b""
            writer.close()
            with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", session.port)):
                pass

    asyncio.run(scenario())
