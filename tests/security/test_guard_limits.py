"""Limits on what one capture may upload, and on what it may write to the log."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from stillframe_renderer.guard.session import MAX_LOGGED_REFUSALS, Limits

from .guarding import guard, origin, send

LIMIT = 1_000_000


async def discard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read everything, and answer nothing."""
    with contextlib.suppress(ConnectionError):
        while await reader.read(65_536):
            pass
    writer.close()


def post_parts(port: int) -> list[bytes]:
    head = f"POST http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: x\r\nContent-Length: {5 * LIMIT}\r\n\r\n"
    return [head.encode(), *[b"x" * 50_000] * (5 * LIMIT // 50_000)]


def tunnel_parts(port: int) -> list[bytes]:
    return [f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), *[b"x" * 50_000] * (5 * LIMIT // 50_000)]


@pytest.mark.parametrize("parts", [post_parts, tunnel_parts], ids=["plain", "in a tunnel"])
def test_uploads_count_toward_the_bytes_of_a_page(parts: object) -> None:
    async def scenario() -> None:
        async with origin(discard) as port, guard(f"127.0.0.1:{port}", limits=Limits(page_bytes=LIMIT)) as session:
            # Given / When a page uploads five times its byte limit
            with contextlib.suppress(ConnectionError):
                await send(session, *parts(port))  # type: ignore[operator]
            # Then its connection is closed, and the capture fails
            assert session.exceeded is not None
            assert session.exceeded.code == "PAGE_TOO_LARGE"

    asyncio.run(asyncio.wait_for(scenario(), 20))


def test_the_log_lines_of_refused_hosts_are_limited(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with guard() as session:
            # Given / When a page requests many different refused hosts
            for number in range(3 * MAX_LOGGED_REFUSALS):
                await send(session, f"CONNECT n{number}.internal:443 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            # Then all refusals are counted
            assert session.refused["deny.local_name"] == 3 * MAX_LOGGED_REFUSALS

    asyncio.run(scenario())
    # And a limited number is logged, followed by a line that says that there are more
    lines = [line.message for line in caplog.records if "refused" in line.message]
    assert lines.count("connection refused") == MAX_LOGGED_REFUSALS
    assert len(lines) == MAX_LOGGED_REFUSALS + 1
