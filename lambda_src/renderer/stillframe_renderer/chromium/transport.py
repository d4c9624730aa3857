"""pyppeteer's connection over Chromium's DevTools pipe instead of its TCP port.

A port can be reached by every page and process on the machine, a pipe only from its two ends; and however this process
dies, Chromium reads end-of-file and exits by itself. Sessions are flattened (`sessionId` beside `method`): the nested
form that pyppeteer uses encodes every message twice.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from pyee import EventEmitter
from pyppeteer.connection import CDPSession, Connection
from pyppeteer.errors import NetworkError

from .encoding import encode, parse_message
from .pipe import MessagePipe

logger = logging.getLogger(__name__)


class CommandRefused(NetworkError):
    """The browser is working, but answered a command with an error."""


class PipeSession(CDPSession):
    """A flattened session: its messages are sent over the connection, with its id."""

    # None once the target is closed.
    _connection: PipeConnection | None

    def send(self, method: str, params: dict[str, Any] | None = None) -> asyncio.Future[Any]:
        if self._connection is None:
            raise NetworkError(f"{method}: the target is closed")
        return self._connection.request(method, params or {}, self._sessionId)

    def _on_closed(self) -> None:
        self._connection = None


class PipeConnection(Connection):
    """The connection, which is also the root session. `closed` is done when the browser is gone."""

    def __init__(self) -> None:
        # pyppeteer's own constructor would open a WebSocket.
        EventEmitter.__init__(self)
        self._loop = asyncio.get_running_loop()
        self._url = "pipe:"
        self._pipe = MessagePipe(self._on_message, self._close)
        self._next_id = 0
        self._pending: dict[int, tuple[str | None, str, asyncio.Future[Any]]] = {}
        self._sessions: dict[str, PipeSession] = {}
        self.closed: asyncio.Future[None] = self._loop.create_future()

    @classmethod
    async def open(cls, command_fd: int, answer_fd: int) -> PipeConnection:
        """Connect to our ends of the two pipes, and take ownership of them."""
        connection = cls()
        await connection._pipe.open(command_fd, answer_fd)
        return connection

    def send(self, method: str, params: dict[str, Any] | None = None) -> asyncio.Future[Any]:
        return self.request(method, params or {}, None)

    def request(self, method: str, params: dict[str, Any], session_id: str | None) -> asyncio.Future[Any]:
        """Send a command. Raises NetworkError if the browser is gone; protocol errors are set on the future."""
        if self.closed.done():
            raise NetworkError(f"{method}: the browser is gone")
        self._next_id += 1
        future: asyncio.Future[Any] = self._loop.create_future()
        # Many commands are sent without awaiting the answer. asyncio would warn about their errors.
        future.add_done_callback(_mark_retrieved)
        self._pending[self._next_id] = (session_id, method, future)
        self._pipe.send(encode(self._next_id, method, params, session_id))
        return future

    def adopt(self, target_type: str, session_id: str) -> PipeSession:
        """The session object of an id, created if it is new."""
        if session_id not in self._sessions:
            self._sessions[session_id] = PipeSession(self, target_type, session_id, self._loop)
        return self._sessions[session_id]

    async def dispose(self) -> None:
        self._close()

    def _on_message(self, raw: bytes) -> None:
        """Resolve the command or emit the event. Raises ValueError or IndexError if the message is malformed."""
        message = parse_message(raw)
        if "id" in message:
            self._answer(message)
            return
        method, session_id = message["method"], message.get("sessionId")
        if method == "Target.detachedFromTarget":
            self._end_session(message["params"].open()["sessionId"])
        receiver = self._sessions.get(session_id) if session_id else self
        # Half of Chromium's events have no listener and need not be decoded.
        if receiver is None or not receiver.listeners(method):
            return
        params = message["params"].open() if "params" in message else {}
        try:
            receiver.emit(method, params)
        except Exception:
            # A defect in one listener must not end the connection for all pages.
            logger.exception("an event listener raised an error", extra={"cdpEvent": method})

    def _answer(self, message: dict[str, Any]) -> None:
        _, method, future = self._pending.pop(message["id"], (None, "", None))
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(CommandRefused(f"{method}: {message['error'].open().get('message', '')}"))
        else:
            future.set_result(message["result"].open() if "result" in message else {})

    def _end_session(self, session_id: str) -> None:
        session = self._sessions.pop(session_id, None)
        if session is not None:
            session._on_closed()
            self._fail_pending(session_id, "the target is closed")

    def _close(self) -> None:
        if self.closed.done():
            return
        self.closed.set_result(None)
        for session_id in list(self._sessions):
            self._end_session(session_id)
        self._fail_pending(None, "the browser is gone")
        self._pipe.close()

    def _fail_pending(self, session_id: str | None, why: str) -> None:
        """Fail the commands that await an answer: those of one session, or all with None."""
        for number, (owner, method, future) in list(self._pending.items()):
            if session_id is not None and owner != session_id:
                continue
            del self._pending[number]
            if not future.done():
                future.set_exception(NetworkError(f"{method}: {why}"))


def _mark_retrieved(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
