"""Guards on loopback, one per capture. A capture's remaining connections are closed with its guard."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Mapping

from stillframe.egress.policy import EgressPolicy

from .connection import GuardedConnection
from .listener import Listener
from .resolver import Resolver, SystemResolver
from .session import GuardSession, Limits


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

        def serve(connection: socket.socket) -> None:
            task = asyncio.create_task(_serve(session, connection))
            connections.add(task)
            task.add_done_callback(connections.discard)

        listener = Listener(serve)
        session.port = listener.port
        self._ports.add(session.port)
        try:
            yield session
        finally:
            self._ports.discard(session.port)
            listener.close()
            # Every connection's task begins first: a task that is cancelled before it begins closes nothing.
            await asyncio.sleep(0)
            for task in list(connections):
                task.cancel()
            await asyncio.gather(*connections, return_exceptions=True)
            await session.close()
            if session.refused and self._on_refused is not None:
                self._on_refused(session.refused)


async def _serve(session: GuardSession, connection: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=connection)
    await GuardedConnection(session, reader, writer).serve()
