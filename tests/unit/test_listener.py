"""The guard's port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket

from stillframe_renderer.guard.listener import Listener


def test_a_connection_waits_while_the_process_has_no_file_descriptor_left() -> None:
    async def scenario() -> None:
        # Given a listener, and a process that may open no further file
        accepted: list[socket.socket] = []
        listener = Listener(accepted.append)
        client = socket.socket()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest = os.dup(client.fileno())
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        try:
            # When a connection arrives
            client.connect(("127.0.0.1", listener.port))
            await asyncio.sleep(0.2)
            assert accepted == []
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        # Then it is accepted as soon as there is room again
        async with asyncio.timeout(5):
            while not accepted:
                await asyncio.sleep(0.05)
        listener.close()
        accepted[0].close()
        client.close()

    asyncio.run(scenario())


def test_no_connection_arrives_after_the_end() -> None:
    async def scenario() -> None:
        # Given a listener that is closed before it has noticed a connection
        accepted: list[socket.socket] = []
        listener = Listener(accepted.append)
        with socket.create_connection(("127.0.0.1", listener.port)) as client:
            listener.close()
            # When the loop goes on, then the connection is refused, and nobody is given it
            await asyncio.sleep(0.05)
            assert accepted == []
            client.settimeout(2)
            with contextlib.suppress(ConnectionResetError):
                assert client.recv(1) == b""

    asyncio.run(scenario())
