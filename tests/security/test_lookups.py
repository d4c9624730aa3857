"""Lookups of names: bounded for each capture, ended with it, and never in the way of another's."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest

from stillframe.egress.addresses import Address
from stillframe.egress.policy import Reason
from stillframe_renderer.guard.resolver import SystemResolver
from stillframe_renderer.guard.session import Limits

from .guarding import Told, ask, guard, record_dials

SILENT_NAMES = 40


class Never:
    """A resolver that never answers, and notices when nobody waits for it any more."""

    def __init__(self) -> None:
        self.asked = 0
        self.cancelled = 0

    async def resolve(self, host: str) -> tuple[Address, ...]:
        self.asked += 1
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return ()


def connect(host: str) -> bytes:
    return f"CONNECT {host}:443 HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def test_lookups_end_with_their_capture() -> None:
    # Given a capture whose page asks for names that nobody answers
    resolver = Never()

    async def scenario() -> None:
        async with guard(resolver=resolver) as session:
            asking = [asyncio.create_task(ask(session, connect(f"n{n}.example"))) for n in range(5)]
            while resolver.asked < len(asking):
                await asyncio.sleep(0.01)
        # When it ends, so do they
        assert resolver.cancelled == len(asking)
        await asyncio.gather(*asking, return_exceptions=True)

    asyncio.run(asyncio.wait_for(scenario(), 10))


def test_a_capture_looks_up_so_many_names_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a limit of three names
    resolver = Told(["93.184.216.34"])
    record_dials(monkeypatch)

    async def scenario() -> None:
        async with guard(resolver=resolver, limits=Limits(lookups=3)) as session:
            # When a page asks for one more, and for one of them again
            for host in ("a.example", "b.example", "c.example", "d.example", "a.example"):
                await ask(session, connect(host))
            # Then three were looked up, and the fourth is refused
            assert (resolver.asked, session.refused[Reason.LOOKUPS.metric]) == (3, 1)

    asyncio.run(scenario())


def test_many_names_without_an_answer_keep_no_other_name_waiting() -> None:
    # Given a name server that answers one name and is silent about all others
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    threading.Thread(target=_answer_good_names, args=(server,), daemon=True).start()

    async def scenario() -> float:
        import aiodns

        resolver = SystemResolver()
        port = server.getsockname()[1]
        resolver._channel = aiodns.DNSResolver(nameservers=[f"127.0.0.1:{port}"], timeout=2.5, tries=3, lookups="b")
        silent = [asyncio.create_task(resolver.resolve(f"silent{n}.example")) for n in range(SILENT_NAMES)]
        await asyncio.sleep(0.1)
        # When another capture asks for that name
        started = time.monotonic()
        answer = await resolver.resolve("good.example")
        seconds = time.monotonic() - started
        assert [str(address) for address in answer] == ["93.184.216.34"]
        for each in silent:
            each.cancel()
        await asyncio.gather(*silent, return_exceptions=True)
        await resolver.close()
        return seconds

    # Then it has its answer long before the first of the others is given up
    assert asyncio.run(scenario()) < 1
    server.close()


def _answer_good_names(server: socket.socket) -> None:
    """The smallest name server (RFC 1035, 4.1): 93.184.216.34 for an A of `good`, no address for its AAAA."""
    while True:
        try:
            query, client = server.recvfrom(512)
        except OSError:
            return
        if b"\x04good" not in query:
            continue
        question_end = query.index(b"\x00", 12) + 5
        question, is_a = query[12:question_end], query[question_end - 4 : question_end - 2] == b"\x00\x01"
        header = query[:2] + b"\x81\x80\x00\x01" + (b"\x00\x01" if is_a else b"\x00\x00") + b"\x00\x00\x00\x00"
        answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + socket.inet_aton("93.184.216.34")
        server.sendto(header + question + (answer if is_a else b""), client)


def test_opening_a_guard_looks_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a machine on which nothing can be looked up
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a lookup")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    async def scenario() -> None:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", refuse, raising=False)
        # When a guard is opened: Then it listens
        async with guard() as session:
            assert session.port > 0

    asyncio.run(scenario())
