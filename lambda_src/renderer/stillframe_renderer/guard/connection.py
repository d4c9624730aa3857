"""One connection from Chromium: a tunnel, or a sequence of plain HTTP requests."""

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
    """Serves one connection until it ends.

    A plain HTTP request that is refused gets no response: any response would appear in the screenshot.
    """

    def __init__(self, session: GuardSession, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._session = session
        self._reader = reader
        self._writer = writer
        self._upstream: Streams | None = None
        self._origin: tuple[str, int] | None = None

    async def serve(self) -> None:
        """Serve requests until the connection ends. Raises nothing but CancelledError."""
        try:
            with contextlib.suppress(Refusal, DialFailed, OSError, TimeoutError, httptools.HttpParserError):
                while await self._serve_request():
                    pass
        finally:
            self._close_upstream()
            self._writer.close()

    async def _serve_request(self) -> bool:
        """Serve one request. Returns whether the connection can be reused."""
        request = Request()
        if not await self._read_head(request):
            return False
        if request.method == b"CONNECT":
            await self._tunnel(request)
            return False
        return await self._exchange(request)

    async def _read_head(self, request: Request) -> bool:
        """Read until the head is complete. Returns whether there was one before the end of the connection."""
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
        """Open a tunnel. TLS passes through unchanged: nothing is intercepted."""
        try:
            upstream = await self._dial(*request.authority())
        except (Refusal, DialFailed):
            self._writer.write(FORBIDDEN)
            await self._writer.drain()
            raise
        self._writer.write(ESTABLISHED)
        await self._relay(upstream)

    async def _exchange(self, request: Request) -> bool:
        """Forward a plain HTTP request and its response. Returns whether the connection can be reused."""
        host, port, path = request.target()
        upstream_reader, upstream_writer = await self._dial(host, port)
        upstream_writer.write(request.origin_head(path) + request.pop_body())
        # Most requests are complete once their head has been read.
        body = None if request.is_complete else asyncio.create_task(self._send_rest(request, upstream_writer))
        response = Response(is_head=request.method == b"HEAD")
        try:
            has_more = True
            while has_more and (data := await self._receive(upstream_reader)):
                has_more = response.feed(data)
                self._writer.write(data)
                await self._writer.drain()
                if response.is_upgrade:
                    await _cancel(body)
                    await self._relay((upstream_reader, upstream_writer))
                    return False
        finally:
            await _cancel(body)
        # If the response came before the whole request was read, `request.keeps_alive` is still false.
        return request.keeps_alive and response.keeps_alive

    async def _send_rest(self, request: Request, writer: asyncio.StreamWriter) -> None:
        """Forward the rest of the request's body."""
        while not request.is_complete and (data := await self._reader.read(CHUNK_BYTES)):
            try:
                self._session.count_bytes(len(data))
            except Refusal:
                # The response that the page waits for will not come either.
                writer.close()
                raise
            request.feed(data)
            writer.write(request.pop_body())
            await writer.drain()

    async def _relay(self, upstream: Streams) -> None:
        """Copy data in both directions until either side ends."""
        reader, writer = upstream
        directions = [
            asyncio.create_task(self._copy(self._reader, writer)),
            asyncio.create_task(self._copy_back(reader)),
        ]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK_BYTES):
            self._session.count_bytes(len(data))
            writer.write(data)
            await writer.drain()

    async def _copy_back(self, reader: asyncio.StreamReader) -> None:
        while data := await self._receive(reader):
            self._writer.write(data)
            await self._writer.drain()

    async def _receive(self, reader: asyncio.StreamReader) -> bytes:
        data = await reader.read(CHUNK_BYTES)
        self._session.count_bytes(len(data))
        return data

    async def _dial(self, host: str, port: int) -> Streams:
        """The connection of the last request if that went to the same origin, or else a new one."""
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


async def _cancel(task: asyncio.Task[None] | None) -> None:
    """Cancel a task, if there is one, and wait until it has ended."""
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
