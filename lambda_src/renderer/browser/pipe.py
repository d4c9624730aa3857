"""Messages that end in a zero byte, over the two pipes of Chromium's --remote-debugging-pipe."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable

logger = logging.getLogger(__name__)

# A screenshot is one message: base64 of the largest image, with room to spare.
MAX_MESSAGE_BYTES = 512 * 1024 * 1024
END = b"\0"


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
        # Of a message that is not whole yet.
        self._parts: list[bytes] = []
        self._part_bytes = 0

    async def open(self, command_fd: int, answer_fd: int) -> None:
        """Connect to our ends of the two pipes, which belong to this from here on. `on_end` is told once of the end."""
        self._commands, _ = await self._loop.connect_write_pipe(asyncio.Protocol, os.fdopen(command_fd, "wb", 0))
        self._answers, _ = await self._loop.connect_read_pipe(lambda: self, os.fdopen(answer_fd, "rb", 0))

    def send(self, message: bytes) -> None:
        """Without its end. Quiet when nobody is there to read it."""
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent += (message, END)

    def close(self) -> None:
        """Idempotent."""
        self._answers.close()
        self._commands.close()

    def data_received(self, data: bytes) -> None:
        *ends, rest = data.split(END)
        for end in ends:
            message = b"".join((*self._parts, end)) if self._parts else end
            self._parts.clear()
            self._part_bytes = 0
            self._on_message(message)
        if rest:
            self._parts.append(rest)
            self._part_bytes += len(rest)
            if self._part_bytes > MAX_MESSAGE_BYTES:
                logger.warning("a message of the browser is too large", extra={"bytes": self._part_bytes})
                self.close()

    def connection_lost(self, error: Exception | None) -> None:
        logger.debug("the DevTools pipe ended", extra={"error": str(error)})
        self._on_end()

    def _flush(self) -> None:
        message, self._unsent = b"".join(self._unsent), []
        if not self._commands.is_closing():
            self._commands.write(message)
