"""Which urls a browser may be sent to, judged by what the url itself says.

This is the check on the text of a url: its scheme, and its host when that is a literal address or a
local name. It does not resolve names, so it does not stop a public name that points inwards.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from stillframe.errors import BlockedAddress, BlockedScheme, InvalidRequest

PAGE_SCHEMES = frozenset({"http", "https"})
# What a page may put into its own frames without a request leaving the browser.
INLINE_SCHEMES = frozenset({"about", "blob", "data"})
DEFAULT_PORTS = {"http": 80, "https": 443}
LOCAL_SUFFIXES = (".localhost", ".local", ".internal")


class EgressPolicy:
    """Refuses urls by scheme and literal address; `allow_hosts` holds `host` or `host:port` exceptions."""

    def __init__(self, allow_hosts: Iterable[str] = ()) -> None:
        self._allowed = frozenset(host.strip().lower() for host in allow_hosts)

    def check_page(self, url: str) -> None:
        """Judge the address of a page or of a redirect. Raises BlockedScheme, BlockedAddress or InvalidRequest."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError as error:
            raise InvalidRequest(f"url: {error}") from error
        scheme = parts.scheme.lower()
        if scheme not in PAGE_SCHEMES:
            raise BlockedScheme(f"only http and https pages are captured, not {scheme or 'a url without a scheme'}")
        if self._allowed & {host, f"{host}:{port or DEFAULT_PORTS[scheme]}"}:
            return
        if is_local_name(host) or is_special_address(host):
            raise BlockedAddress("the url names a host that is not on the public internet")

    def check_document(self, url: str) -> None:
        """Judge the address of any document, frames included, which may also be inline."""
        if urlsplit(url).scheme.lower() not in INLINE_SCHEMES:
            self.check_page(url)


def is_local_name(host: str) -> bool:
    """Names that by definition stay on this machine or network (RFC 6761, RFC 6762, ICANN's .internal)."""
    return host == "localhost" or host.endswith(LOCAL_SUFFIXES)


def is_special_address(host: str) -> bool:
    """Whether the host is a literal address outside the public internet (IANA special-purpose registries)."""
    try:
        address = ipaddress.ip_address(host.split("%", maxsplit=1)[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # RFC 4291, section 2.5.5.2
    return not (mapped or address).is_global or (mapped or address).is_multicast
