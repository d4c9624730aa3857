"""Messages of which each says how long it is, over the two pipes of Chromium's --remote-debugging-pipe=cbor."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable

from .encoding import HEADER_BYTES, body_bytes

logger = logging.getLogger(__name__)

# A screenshot is one message: the largest image, with room to spare.
MAX_MESSAGE_BYTES = 512 * 1024 * 1024


class MessagePipe(asyncio.Protocol):
    """What is sent in one turn of the loop is one write, and what is read at once is told message after message.

    A page is told twenty things before it begins: each write of its own would wake a thread of the browser.
    """

    _answers: asyncio.ReadTransport
    _commands: asyncio.WriteTransport

    def __init__(self, on_message: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_message = on_message
        self._on_end = on_end
        self._unsent: list[bytes] = []
        # Of a message that is not whole yet, and how many bytes there have to be before it is worth a look.
        self._parts: list[bytes] = []
        self._part_bytes = 0
        self._needed = HEADER_BYTES

    async def open(self, command_fd: int, answer_fd: int) -> None:
        """Connect to our ends of the two pipes, which belong to this from here on. `on_end` is told once of the end."""
        self._commands, _ = await self._loop.connect_write_pipe(asyncio.Protocol, os.fdopen(command_fd, "wb", 0))
        self._answers, _ = await self._loop.connect_read_pipe(lambda: self, os.fdopen(answer_fd, "rb", 0))

    def send(self, message: bytes) -> None:
        """Quiet when nobody is there to read it."""
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(message)

    def close(self) -> None:
        """Idempotent."""
        self._answers.close()
        self._commands.close()

    def data_received(self, data: bytes) -> None:
        self._parts.append(data)
        self._part_bytes += len(data)
        if self._part_bytes < self._needed:
            return
        try:
            self._tell(b"".join(self._parts))
        except (ValueError, IndexError) as error:
            logger.warning("a message of the browser cannot be read", extra={"error": str(error)})
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        logger.debug("the DevTools pipe ended", extra={"error": str(error)})
        self._on_end()

    def _tell(self, data: bytes) -> None:
        """All messages that are whole; what is left is kept. Raises ValueError when it cannot be read."""
        start = 0
        self._needed = HEADER_BYTES
        while len(data) - start >= HEADER_BYTES:
            length = HEADER_BYTES + body_bytes(data[start : start + HEADER_BYTES])
            if length > MAX_MESSAGE_BYTES:
                raise ValueError(f"{length} bytes are too many")
            if len(data) - start < length:
                self._needed = length
                break
            self._on_message(data[start : start + length])
            start += length
        rest = data[start:]
        self._parts, self._part_bytes = [rest] if rest else [], len(rest)

    def _flush(self) -> None:
        message, self._unsent = b"".join(self._unsent), []
        if not self._commands.is_closing():
            self._commands.write(message)
