"""A port on loopback. Once it is closed no connection arrives any more, and none is left half accepted.

`asyncio.start_server` promises neither: it accepts over several turns of the event loop. A connection whose acceptance
is under way when the server is closed stays open until the garbage collector finds it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

LOOPBACK = "127.0.0.1"
# As asyncio does when the process has no file descriptor left for a connection.
RETRY_SECONDS = 1.0


class Listener:
    """Hands every connection to a callback at once, from the event loop that runs when it is opened."""

    def __init__(self, on_connection: Callable[[socket.socket], None]) -> None:
        """Listen on a free port. `on_connection` owns the socket it is given."""
        self._on_connection = on_connection
        self._loop = asyncio.get_running_loop()
        self._socket = socket.create_server((LOOPBACK, 0))
        self._socket.setblocking(False)
        self._retry: asyncio.TimerHandle | None = None
        self.port: int = self._socket.getsockname()[1]
        self._listen()

    def close(self) -> None:
        """Give up the port. The kernel refuses the connections that were not accepted."""
        if self._retry is not None:
            self._retry.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _listen(self) -> None:
        self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # The browser has given the connection up meanwhile.
        except OSError:
            self._loop.remove_reader(self._socket)
            self._retry = self._loop.call_later(RETRY_SECONDS, self._listen)
            return
        self._on_connection(connection)
