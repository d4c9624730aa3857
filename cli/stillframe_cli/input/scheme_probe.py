"""Finds out whether a host that was typed without a scheme speaks https or only http."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

from stillframe.egress.addresses import classify
from stillframe.egress.hosts import parse_address
from stillframe.egress.policy import is_local_name

CONNECT_SECONDS = 3.0
HTTP, HTTPS = "http", "https"

Connect = Callable[[str, int], socket.socket]


def connect(host: str, port: int) -> socket.socket:
    """Connect to a host on the public internet. Raises OSError, and PermissionError for any other host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [entry[4][0] for entry in found]
    for address in addresses:
        parsed = parse_address(str(address))
        if parsed is None or not classify(parsed).is_public:
            raise PermissionError(f"{host} is not public")
    # The very address that was classified is dialled.
    return socket.create_connection((str(addresses[0]), port), CONNECT_SECONDS)


class SchemeProbe:
    """Chooses https, unless the host refuses it and accepts http. Asks each host once.

    Names and addresses of this machine and of private networks are not contacted: what runs there is usually a
    development server, which speaks http. A host that does not answer at all gets https.
    """

    def __init__(self, dial: Connect = connect) -> None:
        self._dial = dial
        self._schemes: dict[tuple[str, int | None], str] = {}

    def scheme_of(self, host: str, port: int | None = None) -> str:
        """Return `https` or `http` for a canonical host; without a port, for the default ports of the two."""
        key = (host, port)
        if key not in self._schemes:
            self._schemes[key] = self._find(host, port)
        return self._schemes[key]

    def _find(self, host: str, port: int | None) -> str:
        if _is_private(host):
            return HTTPS if port == 443 else HTTP
        if port in (80, 443):
            return HTTP if port == 80 else HTTPS
        if port is not None:
            return HTTP if self._speaks_plain(host, port) else HTTPS
        try:
            self._dial(host, 443).close()
        except ConnectionRefusedError:
            return HTTP if self._accepts(host, 80) else HTTPS
        except OSError:
            return HTTPS
        return HTTPS

    def _accepts(self, host: str, port: int) -> bool:
        try:
            self._dial(host, port).close()
        except OSError:
            return False
        return True

    def _speaks_plain(self, host: str, port: int) -> bool:
        """Whether a server answers at the port, but not with TLS. Its certificate is not checked: nothing is sent."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with self._dial(host, port) as plain:
                plain.settimeout(CONNECT_SECONDS)
                with context.wrap_socket(plain, server_hostname=host):
                    return False
        except ssl.SSLError:
            return True
        except OSError:
            return False


def _is_private(host: str) -> bool:
    """Whether the host can only be on this machine or in its network. A name without a dot is in no public zone."""
    address = parse_address(host)
    if address is not None:
        return not classify(address).is_public
    return is_local_name(host) or "." not in host
