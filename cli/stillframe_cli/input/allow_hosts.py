"""`--allow-host`: hosts that are not public and may be captured all the same, and the advice to allow one."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import click

from stillframe.egress.addresses import Address, AddressClass, classify
from stillframe.egress.hosts import DEFAULT_PORTS, canonical_host, parse_address
from stillframe.egress.policy import EVERY_PORT, EgressPolicy, Refusal


def _parse(_context: click.Context, _option: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    return tuple(parse_allowed(value) for value in values)


allow_host_option = click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="HOST[:PORT]|URL",
    callback=_parse,
    help="Allow a host that is not public: localhost:3000, localhost (all its ports), or a URL. May be repeated.",
)


def parse_allowed(text: str) -> str:
    """Return the entry of STILLFRAME_ALLOW_HOSTS for a URL, a host (all ports) or host:port. Raises BadParameter."""
    text = text.strip()
    is_url = "://" in text
    try:
        if not is_url and "/" in text and not re.fullmatch(r"[\w.:\[\]-]+/", text):
            ipaddress.ip_network(text)
            raise click.BadParameter(f"{text} is a network; set STILLFRAME_ALLOW_CIDRS={text} instead")
        address = None if is_url else parse_address(text)
        parts = urlsplit(text if is_url else f"//[{address}]" if address and address.version == 6 else f"//{text}")
        host, port = canonical_host(parts.hostname or ""), parts.port
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is neither a host, host:port nor a URL: {error}") from error
    if not re.fullmatch(r"[\w.:-]+", host):
        raise click.BadParameter(f"{text!r} is neither a host, host:port nor a URL")
    shown_port = port if port is not None else DEFAULT_PORTS.get(parts.scheme.lower(), EVERY_PORT)
    return f"{_bracketed(host)}:{shown_port}"


def advise(url: str, policy: EgressPolicy) -> str:
    """Return `--allow-host HOST:PORT` if allowing the URL's own host and port would let it be captured, or nothing.

    A page that was refused for another reason, such as a redirect to a private address, gets no advice. Neither does a
    link-local address: metadata services are there, which give away credentials (RFC 3927).
    """
    try:
        parts = urlsplit(url)
        host, port = canonical_host(parts.hostname or ""), parts.port or DEFAULT_PORTS.get(parts.scheme.lower(), 0)
        addresses = _addresses_of(host)
    except (ValueError, OSError):
        return ""
    if any(classify(address) is AddressClass.LINK_LOCAL for address in addresses):
        return ""
    entry = f"{_bracketed(host)}:{port}"
    allowing = replace(policy, allow_hosts=policy.allow_hosts | {entry})
    is_curable = not _is_allowed(policy, host, port, addresses) and _is_allowed(allowing, host, port, addresses)
    return f"--allow-host {entry}" if is_curable else ""


def _is_allowed(policy: EgressPolicy, host: str, port: int, addresses: list[Address]) -> bool:
    try:
        policy.check_target(host, port)
        policy.check_addresses(host, port, addresses)
    except Refusal:
        return False
    return True


def _addresses_of(host: str) -> list[Address]:
    """The addresses of a host. Raises OSError if its name does not resolve."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    addresses = [parse_address(str(entry[4][0])) for entry in found]
    return [each for each in addresses if each is not None]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
