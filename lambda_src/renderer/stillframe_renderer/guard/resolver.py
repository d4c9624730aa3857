"""Names to addresses."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Protocol

from stillframe.egress.addresses import Address

RESOLVE_SECONDS = 10.0


class ResolverSilent(Exception):
    """The resolver did not answer, which may pass; a name that does not exist is an empty answer."""


class Resolver(Protocol):
    """Where a guard gets addresses from."""

    async def resolve(self, host: str) -> tuple[Address, ...]:
        """All addresses of a name, none when there is no such name. Raises ResolverSilent."""


class SystemResolver:
    """What the machine is set up to ask, in the order in which it prefers the answers (RFC 6724)."""

    async def resolve(self, host: str) -> tuple[Address, ...]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                answers = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            if error.errno == socket.EAI_AGAIN:
                raise ResolverSilent from error
            return ()
        except UnicodeError:
            # A label that is empty or too long: no such name can exist (RFC 1035, 2.3.4).
            return ()
        except TimeoutError as error:
            raise ResolverSilent from error
        return tuple(dict.fromkeys(ipaddress.ip_address(answer[4][0]) for answer in answers))
