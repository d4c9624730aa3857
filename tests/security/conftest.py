"""A hostile site, canaries, a resolver whose names point to private addresses, and a browser behind a guard."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

import pytest

from stillframe.egress.addresses import Address
from stillframe.egress.policy import EgressPolicy
from stillframe_renderer.browsers.engine import RenderEngine
from stillframe_renderer.chromium.browser import Chromium
from stillframe_renderer.guard.resolver import SystemResolver
from stillframe_renderer.guard.server import EgressGuard
from tests.support.canary import Canary, canaries
from tests.support.serving import QuietHandler, serving

from .attacks import HOSTS, body_of

# The tests in that folder run in a separate network namespace: see test_namespace.py.
collect_ignore_glob = [] if os.environ.get("STILLFRAME_TEST_NAMESPACE") else ["namespace/*"]

CANARY_HOSTS = ("127.0.0.1", "127.0.0.2", "::1")
NAMES = {
    "inward.test": ["127.0.0.1"],
    "inward6.test": ["::1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "mixed.test": ["8.8.8.8", "127.0.0.1"],
}


class TestResolver:
    """Resolves names under .test to private addresses, and everything else with the system's resolver."""

    async def resolve(self, host: str) -> tuple[Address, ...]:
        if host in NAMES:
            return tuple(ip_address(each) for each in NAMES[host])
        return await SystemResolver().resolve(host)


class HostileSite(QuietHandler):
    """Serves an attack by one vector on every host, /attack?way=image, and redirects."""

    canary_port = 0

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with contextlib.suppress(OSError):
            if parts.path == "/redirect":
                self.answer(int(query["status"]), b"", Location=query["to"].encode().decode("latin-1"))
            elif parts.path == "/attack":
                hosts = [query["host"]] if "host" in query else list(HOSTS)
                self.answer(200, self._attack(query["way"], hosts))
            elif parts.path == "/page":
                self.answer(200, query["body"].encode())
            else:
                self.answer(404, b"not found")

    do_POST = do_GET

    def _attack(self, vector: str, hosts: list[str]) -> bytes:
        bodies = "".join(body_of(vector, host, self.canary_port) for host in hosts)
        return f"<!doctype html><meta charset=utf-8><title>{vector}</title><body>{bodies}".encode()


@dataclass
class Arena:
    """The hostile site, the canaries, and the browser for the attacks."""

    site: str
    canary: Canary
    chromium: str

    @contextlib.contextmanager
    def engine(
        self,
        policy: EgressPolicy | None = None,
        launch: Callable[[], object] | None = None,
        guard: EgressGuard | None = None,
    ) -> Iterator[RenderEngine]:
        """An engine whose guard allows the hostile site, unless another policy or guard is given."""
        guard = guard or EgressGuard(policy or self.policy(), TestResolver())
        running = RenderEngine(launch or functools.partial(Chromium.launch, self.chromium), guard)  # type: ignore[arg-type]
        try:
            yield running
        finally:
            running.close()

    def policy(self, *allowed: str) -> EgressPolicy:
        """A policy that allows the canaries' port, so that only their addresses can stop a page."""
        return EgressPolicy.of([self.site, *allowed], ports=[self.canary.port])


@pytest.fixture(scope="module")
def arena(chromium: str) -> Iterator[Arena]:
    with canaries(CANARY_HOSTS) as canary:
        handler = type("Site", (HostileSite,), {"canary_port": canary.port})
        with serving(handler) as site:
            yield Arena(site, canary, chromium)
