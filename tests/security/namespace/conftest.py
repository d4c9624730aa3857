"""The network of the namespace: all addresses on loopback, a name server, canaries that no page may reach."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyroute2 import IPRoute

from stillframe_renderer.browsers.engine import RenderEngine
from tests.security.attacks import body_of
from tests.security.namespace.names import Names, serving_names
from tests.support.canary import Canary, canaries
from tests.support.rendering import local_engine
from tests.support.serving import QuietHandler, serving

MARK = "STILLFRAME_TEST_NAMESPACE"
NAME_SERVER = "127.0.0.53"
RESOLV_CONF = f"nameserver {NAME_SERVER}\noptions timeout:2 attempts:1\n"
MS_BIND = 4096

# Addresses of each class, including the metadata services of instances, tasks and pods, and of other clouds.
FORBIDDEN = (
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "169.254.169.253",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "100.100.100.200",
    "192.0.0.192",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "198.18.0.1",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "240.0.0.1",
    "::1",
    "fc00::1",
    "fec0::1",
    "2001:db8::1",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
)
# The addresses just outside the ranges: all are public.
EDGES = (
    "9.255.255.255",
    "11.0.0.0",
    "11.0.0.1",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "2606:4700::1111",
)


@pytest.fixture(scope="session", autouse=True)
def network() -> None:
    if os.environ.get(MARK) != "inside":
        pytest.skip("runs inside a network namespace, started by test_namespace.py")
    with IPRoute() as routes:
        (loopback,) = routes.link_lookup(ifname="lo")
        routes.link("set", index=loopback, state="up")
        for address in {*FORBIDDEN, *EDGES} - {"127.0.0.1", "::1"}:
            routes.addr("add", index=loopback, address=address, prefixlen=128 if ":" in address else 32)


@pytest.fixture(scope="session")
def names(network: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Names]:
    """A name server for the system's resolver: a bind mount replaces the machine's resolv.conf."""
    conf = tmp_path_factory.mktemp("etc") / "resolv.conf"
    conf.write_text(RESOLV_CONF)
    libc = ctypes.CDLL(None, use_errno=True)
    target = str(Path("/etc/resolv.conf").resolve())
    assert libc.mount(str(conf).encode(), target.encode(), None, MS_BIND, None) == 0, os.strerror(ctypes.get_errno())
    with serving_names(NAME_SERVER) as running:
        yield running


@pytest.fixture(scope="session")
def canary(network: None) -> Iterator[Canary]:
    """Canaries on port 80 of every forbidden address, and on the port of the Lambda runtime API."""
    with canaries(FORBIDDEN, 80) as web, canaries(("127.0.0.1",), 9001) as api:
        api.hits = web.hits
        yield web


class PublicSite(QuietHandler):
    """Serves an attack by one vector on every forbidden address."""

    def do_GET(self) -> None:
        vector = self.path.partition("?way=")[2]
        hosts = [f"[{host}]" if ":" in host else host for host in FORBIDDEN]
        body = "".join(body_of(vector, host, 80) for host in hosts) if vector else "here"
        self.answer(200, f"<!doctype html><meta charset=utf-8><title>{vector or 'here'}</title><body>{body}".encode())


@pytest.fixture(scope="session")
def public_site(network: None) -> Iterator[None]:
    """A site on port 80 of every public address, which needs no exception."""
    with contextlib.ExitStack() as stack:
        for address in EDGES:
            stack.enter_context(serving(PublicSite, address, 80))
        yield


@pytest.fixture(scope="session")
def engine(chromium: str, names: Names, public_site: None) -> Iterator[RenderEngine]:
    """An engine with the default policy of a worker."""
    with local_engine(chromium) as running:
        yield running
