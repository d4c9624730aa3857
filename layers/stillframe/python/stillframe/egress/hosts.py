"""The one canonical form of a host, for every check that compares hosts."""

from __future__ import annotations

import ipaddress
from urllib.parse import unquote, urlsplit

import idna

from stillframe.egress.addresses import Address

# A longer name cannot exist (RFC 1035, 2.3.4).
MAX_HOST_CHARS = 253
DEFAULT_PORTS = {"http": 80, "https": 443}


def canonical_host(host: str) -> str:
    """The form that a browser connects to: ASCII, lower case, without brackets and without dots at the end.

    Percent-encoding is decoded, international names are mapped to Punycode (UTS #46), and addresses in any notation are
    converted to the standard one (WHATWG URL, "host parsing"). Raises ValueError for a host that no browser accepts.
    """
    text = unquote(host.strip()).removeprefix("[").removesuffix("]").partition("%")[0]
    name = _ascii(text).rstrip(".")
    address = parse_address(name) or _legacy_ipv4(name)
    if address is not None:
        return str(address)
    if len(name) > MAX_HOST_CHARS:
        raise ValueError(f"the host is longer than {MAX_HOST_CHARS} characters")
    return name


def canonical_host_of(url: str) -> str:
    """The canonical host of a URL; empty if the URL has none. Raises ValueError as `canonical_host` does."""
    return canonical_host(urlsplit(url).hostname or "")


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, canonical host and port of a URL (RFC 6454, 4). Raises ValueError if the URL cannot be parsed."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, canonical_host(parts.hostname or ""), parts.port or DEFAULT_PORTS.get(scheme, 0)


def parse_address(host: str) -> Address | None:
    """Parse a literal address in its standard notation, with brackets and scope. Returns None for anything else."""
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]").partition("%")[0])
    except ValueError:
        return None


def _ascii(host: str) -> str:
    """Map a name to ASCII as browsers do, which accept names that IDNA 2008 does not allow to be registered."""
    if host.isascii():
        return host.lower()
    mapped = idna.uts46_remap(host, std3_rules=False, transitional=False)
    return ".".join(
        label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in mapped.split(".")
    )


def _legacy_ipv4(name: str) -> Address | None:
    """Parse an IPv4 address of one to four decimal, octal or hexadecimal numbers (WHATWG URL, "IPv4 parser")."""
    parts = name.split(".")
    if not _is_number(parts[-1]):
        return None
    numbers = [_number(part) for part in parts]
    *heads, last = numbers
    if len(numbers) > 4 or any(each > 255 for each in heads) or last >= 256 ** (5 - len(numbers)):
        raise ValueError("the host ends in a number and is not an IPv4 address")
    return ipaddress.IPv4Address(last + sum(each << 8 * (3 - index) for index, each in enumerate(heads)))


def _is_number(part: str) -> bool:
    digits = part.removeprefix("0x")
    return part.isdigit() or (digits != part and all(char in "0123456789abcdef" for char in digits))


def _number(part: str) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if len(part) > 1 and part.startswith("0") else 10)
