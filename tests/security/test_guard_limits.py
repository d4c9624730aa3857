"""What one capture may send, and what it may write into the log."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from stillframe_renderer.guard.session import MAX_LOGGED_REFUSALS, Limits

from .guarding import ask, guard, origin

LIMIT = 1_000_000


async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take whatever comes, and answer nothing."""
    with contextlib.suppress(ConnectionError):
        while await reader.read(65_536):
            pass
    writer.close()


def posted(port: int) -> list[bytes]:
    head = f"POST http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: x\r\nContent-Length: {5 * LIMIT}\r\n\r\n"
    return [head.encode(), *[b"x" * 50_000] * (5 * LIMIT // 50_000)]


def tunnelled(port: int) -> list[bytes]:
    return [f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), *[b"x" * 50_000] * (5 * LIMIT // 50_000)]


@pytest.mark.parametrize("parts", [posted, tunnelled], ids=["plain", "in a tunnel"])
def test_what_a_page_uploads_counts_as_what_it_loads(parts: object) -> None:
    async def scenario() -> None:
        async with origin(swallow) as port, guard(f"127.0.0.1:{port}", limits=Limits(page_bytes=LIMIT)) as session:
            # Given / When a page that sends five times what it may load
            with contextlib.suppress(ConnectionError):
                await ask(session, *parts(port))  # type: ignore[operator]
            # Then its connection is closed, and the capture fails
            assert session.exceeded is not None
            assert session.exceeded.code == "PAGE_TOO_LARGE"

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_refused_hosts_fill_no_log(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with guard() as session:
            # Given / When a page that makes up one host after the other
            for number in range(3 * MAX_LOGGED_REFUSALS):
                await ask(session, f"CONNECT n{number}.internal:443 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            # Then all of them are counted
            assert session.refused["deny.local_name"] == 3 * MAX_LOGGED_REFUSALS

    asyncio.run(scenario())
    # And a bounded number of lines tells of them, the last one that there are more
    lines = [line.message for line in caplog.records if "refused" in line.message]
    assert lines.count("connection refused") == MAX_LOGGED_REFUSALS
    assert len(lines) == MAX_LOGGED_REFUSALS + 1
