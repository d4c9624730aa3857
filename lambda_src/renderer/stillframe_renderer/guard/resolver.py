"""Resolving host names to addresses."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Protocol

import aiodns
from aiodns import error as ares

from stillframe.egress.addresses import Address

RESOLVE_SECONDS = 10.0
# The time for the first attempt at a name server; each further attempt has twice as long. A server that has answered
# quickly gets less, down to a quarter of a second (c-ares, "ares_metrics"), so it takes this many attempts to wait for
# RESOLVE_SECONDS in any case.
TRY_SECONDS = 2.5
TRIES = 7
# The errors that mean that a name has no address, or that no such name can exist (RFC 1035, 2.3.4).
NO_SUCH_NAME = frozenset({ares.ARES_ENOTFOUND, ares.ARES_ENODATA, ares.ARES_EBADNAME, ares.ARES_ENONAME})


class ResolverUnavailable(Exception):
    """The resolver did not answer, which may be temporary. A name that does not exist is an empty answer instead."""


class Resolver(Protocol):
    """Resolves names for a guard."""

    async def resolve(self, host: str) -> tuple[Address, ...]:
        """All addresses of a name, empty if the name does not exist. Raises ResolverUnavailable."""


class SystemResolver:
    """Uses the name servers and the hosts file of this machine, through c-ares. Addresses are sorted as in RFC 6724.

    Queries do not queue up. getaddrinfo(3) would occupy a thread for each of them, and the event loop's pool has four,
    so a few names that get no answer would block the lookups of all other captures.
    """

    def __init__(self) -> None:
        self._channel: aiodns.DNSResolver | None = None

    async def resolve(self, host: str) -> tuple[Address, ...]:
        if self._channel is None:
            self._channel = aiodns.DNSResolver(timeout=TRY_SECONDS, tries=TRIES)
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                answer = await self._channel.getaddrinfo(host, type=socket.SOCK_STREAM)
        except ares.DNSError as error:
            if error.args[0] in NO_SUCH_NAME:
                return ()
            raise ResolverUnavailable from error
        except UnicodeError:
            return ()
        except TimeoutError as error:
            raise ResolverUnavailable from error
        return tuple(dict.fromkeys(ipaddress.ip_address(node.addr[0].decode()) for node in answer.nodes))

    async def close(self) -> None:
        """Cancel every query. Idempotent."""
        if self._channel is not None:
            await self._channel.close()
            self._channel = None
