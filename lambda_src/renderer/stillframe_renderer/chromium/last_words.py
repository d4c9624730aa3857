"""What a browser prints on its standard error, of which only the end is kept."""

from __future__ import annotations

import asyncio
import os

# Enough for the message of a dynamic linker or a failed check; a page cannot make a worker keep more.
MAX_BYTES = 4096
MAX_LINES = 8
# A browser that has died leaves its words in the pipe; its children may keep the pipe open.
CLOSE_SECONDS = 0.5


class LastWords(asyncio.Protocol):
    """Reads the pipe to its end, so that the browser never blocks on it, and keeps the last bytes."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._transport: asyncio.BaseTransport | None = None
        self._is_at_end = asyncio.Event()

    @classmethod
    async def read(cls, fd: int) -> LastWords:
        """Start to read from the descriptor, which this object closes from now on."""
        pipe = os.fdopen(fd, "rb", buffering=0)
        try:
            _, words = await asyncio.get_running_loop().connect_read_pipe(cls, pipe)
        except BaseException:
            pipe.close()
            raise
        return words

    @property
    def text(self) -> str:
        """The last lines in one, separated by ` | `; empty if nothing was printed."""
        lines = [line.strip() for line in self._kept.decode(errors="replace").splitlines()]
        return " | ".join([line for line in lines if line][-MAX_LINES:])

    async def close(self) -> str:
        """Read what is left, stop reading, and return the text. Call it when the browser has ended. Idempotent."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._is_at_end.wait()
        except TimeoutError:
            pass
        if self._transport is not None:
            self._transport.close()
        return self.text

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._kept += data
        del self._kept[:-MAX_BYTES]

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_at_end.set()
