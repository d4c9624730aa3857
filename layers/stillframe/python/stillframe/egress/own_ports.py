"""The ports of this machine at which its own AWS emulator is.

An emulator asks nobody for credentials: whoever reaches it has every image, record and message of every tenant. So no
exception for a host of this machine, which may be one for all of its ports, is one for them.
"""

from __future__ import annotations

import os
from ipaddress import ip_address
from urllib.parse import urlsplit

from stillframe.egress.addresses import classify
from stillframe.egress.hosts import DEFAULT_PORTS

VARIABLE = "AWS_ENDPOINT_URL"


def own_ports() -> frozenset[int]:
    """The port of `AWS_ENDPOINT_URL` if that is at loopback, and those of single services (`AWS_ENDPOINT_URL_S3`)."""
    urls = [value for name, value in os.environ.items() if name == VARIABLE or name.startswith(f"{VARIABLE}_")]
    return frozenset(port for url in urls if (port := _loopback_port(url)) is not None)


def _loopback_port(url: str) -> int | None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        is_local = host == "localhost" or not classify(ip_address(host)).leaves_machine
    except ValueError:
        return None
    return (port or DEFAULT_PORTS.get(parts.scheme)) if is_local else None
