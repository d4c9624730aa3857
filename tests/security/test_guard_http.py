"""How requests pass the guard: heads are checked, bodies pass unchanged."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from .guarding import HELLO, ScriptedResolver, Serve, echo_requests, guard, origin, record_dials, send


def test_a_plain_request_is_forwarded_in_origin_form() -> None:
    async def scenario() -> None:
        seen: list[bytes] = []
        # Given an origin, and a request in absolute form whose Host header differs
        async with origin(echo_requests(seen, HELLO)) as port, guard(f"127.0.0.1:{port}") as session:
            request = (
                f"GET http://127.0.0.1:{port}/a?b=c HTTP/1.1\r\nHost: other.example\r\nProxy-Connection: keep-alive\r\n"
                "Proxy-Authorization: Basic eDp5\r\nX-Kept: yes\r\nConnection: close\r\n\r\n"
            ).encode()
            # When it passes the guard
            answer = await send(session, request)
            # Then the origin gets the path, its own host, and no header that was meant for the proxy
            assert seen == [
                f"GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Kept: yes\r\nConnection: close\r\n\r\n".encode()
            ]
            assert answer == HELLO

    asyncio.run(scenario())


def test_a_connection_is_reused_only_for_the_same_origin() -> None:
    async def scenario() -> None:
        first: list[bytes] = []
        second: list[bytes] = []
        connections: list[int] = []

        def counted(serve: Serve) -> Serve:
            async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                connections.append(1)
                await serve(reader, writer)

            return count

        # Given two origins
        async with (
            origin(counted(echo_requests(first, HELLO))) as one,
            origin(counted(echo_requests(second, HELLO))) as two,
            guard(f"127.0.0.1:{one}", f"127.0.0.1:{two}") as session,
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", session.port)
            # When one connection requests the first origin twice, and then the second
            for port in (one, one, two):
                writer.write(f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                assert await reader.readexactly(len(HELLO)) == HELLO
            writer.close()
        # Then the guard has opened two connections
        assert (len(first), len(second), len(connections)) == (2, 1, 2)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("method", "answer", "body"),
    [
        (b"GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", b""),
        (b"GET", b"HTTP/1.1 200 OK\r\n\r\nto the end of the connection", b""),
        (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b""),
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b""),
        (b"GET", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b""),
        (b"POST", HELLO, b"a body"),
        (b"GET", b"this is no HTTP at all", b""),
    ],
)
def test_a_response_passes_unchanged(method: bytes, answer: bytes, body: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(len(body)) == body
        writer.write(answer)
        await writer.drain()
        writer.close()

    async def scenario() -> None:
        async with origin(serve) as port, guard(f"127.0.0.1:{port}") as session:
            url = f"http://127.0.0.1:{port}/".encode()
            head = b"%b %b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
            assert await send(session, head % (method, url, len(body)), body) == answer

    asyncio.run(scenario())


def test_a_chunked_upload_arrives() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"Transfer-Encoding: chunked" in head
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readexactly(2)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    async def scenario() -> None:
        async with origin(serve) as port, guard(f"127.0.0.1:{port}") as session:
            head = f"POST http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
            answer = await send(session, head, b"5\r\nhel", b"lo\r\n", b"3\r\nyou\r\n0\r\n\r\n")
            assert answer.endswith(b"\r\n\r\nhelloyou")

    asyncio.run(scenario())


def test_a_tunnel_carries_both_directions() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data.upper())
        writer.close()

    async def scenario() -> None:
        async with origin(serve) as port, guard(f"127.0.0.1:{port}") as session:
            reader, writer = await asyncio.open_connection("127.0.0.1", session.port)
            writer.write(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 200 Connection Established\r\n\r\n"
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"HELLO"
            writer.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET https://example.com/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET file:///etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http:///x HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://user@127.0.0.1/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT example.com HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT :443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT example.com:99999 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT example.com:443x HTTP/1.1\r\nHost: x\r\n\r\n",
        b"no http\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET http://example.com/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET http://example.com/ HTTP/1.1\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
    ],
    ids=lambda request: request[:40].decode("latin-1"),
)
def test_a_malformed_request_goes_nowhere(request_bytes: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with guard(resolver=ScriptedResolver(["93.184.216.34"])) as session:
            with contextlib.suppress(ConnectionError):
                answer = await send(session, request_bytes)
                assert answer in (b"", b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    dialed = record_dials(monkeypatch)
    asyncio.run(scenario())
    assert dialed == []
