"""Resolving host names to addresses."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Protocol

from stillframe.egress.addresses import Address

RESOLVE_SECONDS = 10.0


class ResolverUnavailable(Exception):
    """The resolver did not answer, which may be temporary. A name that does not exist is an empty answer instead."""


class Resolver(Protocol):
    """Resolves names for a guard."""

    async def resolve(self, host: str) -> tuple[Address, ...]:
        """All addresses of a name, empty if the name does not exist. Raises ResolverUnavailable."""


class SystemResolver:
    """The resolver that the machine is configured with. Addresses come in its order of preference (RFC 6724)."""

    async def resolve(self, host: str) -> tuple[Address, ...]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                answers = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            if error.errno == socket.EAI_AGAIN:
                raise ResolverUnavailable from error
            return ()
        except UnicodeError:
            # A label is empty or too long, so no such name can exist (RFC 1035, 2.3.4).
            return ()
        except TimeoutError as error:
            raise ResolverUnavailable from error
        return tuple(dict.fromkeys(ipaddress.ip_address(answer[4][0]) for answer in answers))
