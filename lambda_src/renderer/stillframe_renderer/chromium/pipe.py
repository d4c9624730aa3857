"""Length-prefixed messages over the two pipes of Chromium's --remote-debugging-pipe=cbor."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable

from .encoding import HEADER_BYTES, PREFIX_BYTES, body_length, first_field

logger = logging.getLogger(__name__)

# A screenshot is one message: the largest image, with room to spare.
MAX_MESSAGE_BYTES = 512 * 1024 * 1024
# The content of an event is up to the page: what it logs, throws or requests. Longer events are dropped unread, so that
# no page can fill the memory of this process. A paused request must be answered, and may carry the body of an upload.
MAX_EVENT_BYTES = 1024 * 1024
MAX_PAUSED_REQUEST_BYTES = 16 * 1024 * 1024


def message_limit(prefix: bytes) -> int:
    """The maximum length of a message that begins like this: an answer to one of our commands, or an event."""
    name, method = first_field(prefix)
    if name != "method":
        return MAX_MESSAGE_BYTES
    return MAX_PAUSED_REQUEST_BYTES if method == "Fetch.requestPaused" else MAX_EVENT_BYTES


class MessagePipe(asyncio.Protocol):
    """Sends and receives messages, header included.

    All messages sent in one iteration of the event loop are one write: a page gets twenty commands before it begins,
    and every write would wake a thread of the browser. Data received is passed to `on_message` message by message.
    """

    _answers: asyncio.ReadTransport
    _commands: asyncio.WriteTransport

    def __init__(self, on_message: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        """`on_end` is called once, when the browser has closed its end."""
        self._loop = asyncio.get_running_loop()
        self._on_message = on_message
        self._on_end = on_end
        self._unsent: list[bytes] = []
        # An incomplete message, its size so far, and the size at which parsing can continue.
        self._parts: list[bytes] = []
        self._part_bytes = 0
        self._needed_bytes = HEADER_BYTES
        # The number of bytes still to come of a message that is dropped.
        self._dropped_bytes = 0

    async def open(self, command_fd: int, answer_fd: int) -> None:
        """Connect to our ends of the two pipes, and take ownership of them."""
        self._commands, _ = await self._loop.connect_write_pipe(asyncio.Protocol, os.fdopen(command_fd, "wb", 0))
        self._answers, _ = await self._loop.connect_read_pipe(lambda: self, os.fdopen(answer_fd, "rb", 0))

    def send(self, message: bytes) -> None:
        """Send a message. Does nothing if the browser has closed its end."""
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(message)

    def close(self) -> None:
        """Close both pipes. Idempotent."""
        self._answers.close()
        self._commands.close()

    def data_received(self, data: bytes) -> None:
        if self._dropped_bytes:
            dropped = min(self._dropped_bytes, len(data))
            self._dropped_bytes -= dropped
            data = data[dropped:]
            if not data:
                return
        self._parts.append(data)
        self._part_bytes += len(data)
        if self._part_bytes < self._needed_bytes:
            return
        try:
            self._split(b"".join(self._parts))
        except (ValueError, IndexError) as error:
            logger.warning("the browser sent a malformed message, its pipe is closed", extra={"error": str(error)})
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        logger.debug("the DevTools pipe ended", extra={"error": str(error)})
        self._on_end()

    def _split(self, data: bytes) -> None:
        """Pass on every complete message and keep the rest. Raises ValueError if a header is malformed."""
        start = 0
        self._needed_bytes = HEADER_BYTES
        while len(data) - start >= HEADER_BYTES:
            length = HEADER_BYTES + body_length(data[start : start + HEADER_BYTES])
            if length > MAX_MESSAGE_BYTES:
                raise ValueError(f"a message of {length} bytes is too large, at most {MAX_MESSAGE_BYTES}")
            available = len(data) - start
            prefix = data[start : start + HEADER_BYTES + PREFIX_BYTES]
            if length > MAX_EVENT_BYTES and len(prefix) < HEADER_BYTES + PREFIX_BYTES:
                self._needed_bytes = HEADER_BYTES + PREFIX_BYTES
                break
            if length > MAX_EVENT_BYTES and length > message_limit(prefix):
                logger.debug("an event of the browser is dropped, it is too long", extra={"bytes": length})
                self._dropped_bytes = max(0, length - available)
                start += min(length, available)
                continue
            if available < length:
                self._needed_bytes = length
                break
            self._on_message(data[start : start + length])
            start += length
        rest = data[start:]
        self._parts, self._part_bytes = [rest] if rest else [], len(rest)

    def _flush(self) -> None:
        message, self._unsent = b"".join(self._unsent), []
        if not self._commands.is_closing():
            self._commands.write(message)
