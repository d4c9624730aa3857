"""DNS lookups: limited per capture, ended with it, and independent of those of other captures."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest

from stillframe.egress.addresses import Address
from stillframe.egress.policy import Reason
from stillframe_renderer.guard.resolver import TRIES, TRY_SECONDS, SystemResolver
from stillframe_renderer.guard.session import Limits

from .guarding import ScriptedResolver, guard, record_dials, send

SILENT_NAMES = 40


class SilentResolver:
    """A resolver that never answers, and counts canceled lookups."""

    def __init__(self) -> None:
        self.started = 0
        self.canceled = 0

    async def resolve(self, host: str) -> tuple[Address, ...]:
        self.started += 1
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            self.canceled += 1
            raise
        return ()


def connect(host: str) -> bytes:
    return f"CONNECT {host}:443 HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def test_lookups_end_with_their_capture() -> None:
    # Given a capture whose page requests names that are never resolved
    resolver = SilentResolver()

    async def scenario() -> None:
        async with guard(resolver=resolver) as session:
            requests = [asyncio.create_task(send(session, connect(f"n{n}.example"))) for n in range(5)]
            while resolver.started < len(requests):
                await asyncio.sleep(0.01)
        # When the capture ends, then the lookups are canceled
        assert resolver.canceled == len(requests)
        await asyncio.gather(*requests, return_exceptions=True)

    asyncio.run(asyncio.wait_for(scenario(), 10))


def test_the_lookups_of_a_capture_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a limit of three names
    resolver = ScriptedResolver(["93.184.216.34"])
    record_dials(monkeypatch)

    async def scenario() -> None:
        async with guard(resolver=resolver, limits=Limits(lookups=3)) as session:
            # When a page requests four names, and one of them twice
            for host in ("a.example", "b.example", "c.example", "d.example", "a.example"):
                await send(session, connect(host))
            # Then three are looked up, and the fourth is refused
            assert (resolver.lookups, session.refused[Reason.LOOKUPS.metric]) == (3, 1)

    asyncio.run(scenario())


def test_names_without_an_answer_do_not_delay_other_names() -> None:
    # Given a name server that answers queries for one name only
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
        # When another capture looks that name up
        started = time.monotonic()
        answer = await resolver.resolve("good.example")
        seconds = time.monotonic() - started
        assert [str(address) for address in answer] == ["93.184.216.34"]
        for each in silent:
            each.cancel()
        await asyncio.gather(*silent, return_exceptions=True)
        await resolver.close()
        return seconds

    # Then it has its answer long before the first of the others times out
    assert asyncio.run(scenario()) < 1
    server.close()


def test_a_slow_answer_is_awaited_even_after_quick_ones() -> None:
    # Given a name server that answers at once, but takes two seconds for one name
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    threading.Thread(target=_answer_good_names, args=(server, 2.0), daemon=True).start()

    async def scenario() -> list[str]:
        import aiodns

        resolver = SystemResolver()
        port = server.getsockname()[1]
        resolver._channel = aiodns.DNSResolver(
            nameservers=[f"127.0.0.1:{port}"], timeout=TRY_SECONDS, tries=TRIES, lookups="b"
        )
        for number in range(20):
            await resolver.resolve(f"good.quick{number}")
        # When that name is looked up
        answer = await resolver.resolve("good.slow")
        await resolver.close()
        return [str(address) for address in answer]

    # Then its answer is awaited
    assert asyncio.run(scenario()) == ["93.184.216.34"]
    server.close()


def _answer_good_names(server: socket.socket, slow_seconds: float = 0) -> None:
    """A minimal name server (RFC 1035, 4.1): names that begin with `good` have the A record 93.184.216.34 and no AAAA.

    Those with `slow` in them are answered late.
    """
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
        reply = header + question + (answer if is_a else b"")
        delay = slow_seconds if b"slow" in query else 0
        threading.Timer(delay, server.sendto, (reply, client)).start()


def test_opening_a_guard_needs_no_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a machine on which every lookup fails
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a lookup")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    async def scenario() -> None:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", refuse, raising=False)
        # When a guard is opened, then it listens
        async with guard() as session:
            assert session.port > 0

    asyncio.run(scenario())
