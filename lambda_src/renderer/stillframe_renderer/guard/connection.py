"""One connection from Chromium: a tunnel, or plain requests one after the other."""

from __future__ import annotations

import asyncio
import contextlib

import httptools

from stillframe.egress.policy import Reason, Refusal

from .messages import MAX_HEAD_BYTES, Request, Response
from .session import DialFailed, GuardSession, Streams

CHUNK_BYTES = 64 * 1024
IDLE_SECONDS = 60.0
ESTABLISHED = b"HTTP/1.1 200 Connection Established\r\n\r\n"
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class GuardedConnection:
    """Serves one connection to its end. A plain request that is refused gets no answer: any would be pictured."""

    def __init__(self, session: GuardSession, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._session = session
        self._reader = reader
        self._writer = writer
        self._upstream: Streams | None = None
        self._origin: tuple[str, int] | None = None

    async def serve(self) -> None:
        """Never raises but for cancellation."""
        try:
            with contextlib.suppress(Refusal, DialFailed, OSError, TimeoutError, httptools.HttpParserError):
                while await self._serve_request():
                    pass
        finally:
            self._close_upstream()
            self._writer.close()

    async def _serve_request(self) -> bool:
        """Whether the connection can be used again."""
        request = Request()
        if not await self._read_head(request):
            return False
        if request.method == b"CONNECT":
            await self._tunnel(request)
            return False
        return await self._exchange(request)

    async def _read_head(self, request: Request) -> bool:
        size = 0
        while not request.has_head:
            async with asyncio.timeout(IDLE_SECONDS):
                data = await self._reader.read(CHUNK_BYTES)
            if not data:
                return False
            size += len(data)
            if size > MAX_HEAD_BYTES and not request.has_head:
                raise Refusal(Reason.UNPARSABLE)
            request.feed(data)
        return True

    async def _tunnel(self, request: Request) -> None:
        """TLS goes through as it is: nothing is intercepted."""
        try:
            upstream = await self._dial(*request.authority())
        except (Refusal, DialFailed):
            self._writer.write(FORBIDDEN)
            await self._writer.drain()
            raise
        self._writer.write(ESTABLISHED)
        await self._relay(upstream)

    async def _exchange(self, request: Request) -> bool:
        host, port, path = request.target()
        upstream_reader, upstream_writer = await self._dial(host, port)
        upstream_writer.write(request.origin_head(path) + request.take_body())
        # Most requests are whole with their head.
        body = None if request.is_complete else asyncio.create_task(self._send_rest(request, upstream_writer))
        response = Response(is_head=request.method == b"HEAD")
        try:
            goes_on = True
            while goes_on and (data := await self._receive(upstream_reader)):
                goes_on = response.feed(data)
                self._writer.write(data)
                await self._writer.drain()
                if response.is_upgrade:
                    await _ended(body)
                    await self._relay((upstream_reader, upstream_writer))
                    return False
        finally:
            await _ended(body)
        # An answer that came before the whole request was read ends the connection.
        return request.keeps_alive and response.keeps_alive

    async def _send_rest(self, request: Request, to: asyncio.StreamWriter) -> None:
        """Of the body, until it is whole."""
        while not request.is_complete and (data := await self._reader.read(CHUNK_BYTES)):
            request.feed(data)
            to.write(request.take_body())
            await to.drain()

    async def _relay(self, upstream: Streams) -> None:
        """Both ways, until either side ends."""
        reader, writer = upstream
        ways = [
            asyncio.create_task(self._copy(self._reader, writer)),
            asyncio.create_task(self._copy_back(reader)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()

    async def _copy_back(self, reader: asyncio.StreamReader) -> None:
        while data := await self._receive(reader):
            self._writer.write(data)
            await self._writer.drain()

    async def _receive(self, reader: asyncio.StreamReader) -> bytes:
        data = await reader.read(CHUNK_BYTES)
        self._session.received(len(data))
        return data

    async def _dial(self, host: str, port: int) -> Streams:
        """The connection of the last request when it was to the same origin, else a new one."""
        if self._upstream is not None and self._origin == (host, port) and not self._upstream[0].at_eof():
            return self._upstream
        self._close_upstream()
        self._upstream = await self._session.dial(host, port)
        self._origin = host, port
        self._session.opened()
        return self._upstream

    def _close_upstream(self) -> None:
        if self._upstream is not None:
            self._upstream[1].close()
            self._session.closed()
            self._upstream = None


async def _ended(task: asyncio.Task[None] | None) -> None:
    """Cancel a task, if there is one, and see it out."""
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
