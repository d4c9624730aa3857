"""Guards on loopback, one per capture. A capture's remaining connections are closed with its guard."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Mapping

from stillframe.egress.policy import EgressPolicy

from .connection import GuardedConnection
from .resolver import Resolver, SystemResolver
from .session import GuardSession, Limits

LOOPBACK = "127.0.0.1"


class EgressGuard:
    """Opens guard sessions for captures. No port is bound before the first one."""

    def __init__(
        self,
        policy: EgressPolicy,
        resolver: Resolver | None = None,
        limits: Limits | None = None,
        on_refused: Callable[[Mapping[str, int]], None] | None = None,
    ) -> None:
        """`on_refused` is called at the end of a capture with its refused connections by decision, if there are any."""
        self.policy = policy
        self._on_refused = on_refused
        self._resolver = resolver or SystemResolver()
        self._limits = limits or Limits()
        self._ports: set[int] = set()

    async def close(self) -> None:
        """Close the resolver."""
        if isinstance(self._resolver, SystemResolver):
            await self._resolver.close()

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[GuardSession]:
        """Open a guard that listens on a port of its own until the end of the block."""
        session = GuardSession(self.policy, self._resolver, self._limits, self._ports)
        connections: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(GuardedConnection(session, reader, writer).serve())
            connections.add(task)
            task.add_done_callback(connections.discard)

        # The socket is bound here because start_server would look up the host, even though it is a literal address.
        listener = socket.create_server((LOOPBACK, 0))
        try:
            server = await asyncio.start_server(accept, sock=listener)
        except BaseException:
            listener.close()
            raise
        session.port = listener.getsockname()[1]
        self._ports.add(session.port)
        try:
            yield session
        finally:
            self._ports.discard(session.port)
            server.close()
            for task in list(connections):
                task.cancel()
            await asyncio.gather(*connections, return_exceptions=True)
            await session.close()
            if session.refused and self._on_refused is not None:
                self._on_refused(session.refused)
