"""The API on a cloud of the test's own, over HTTP."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stillframe.clients import connect_presigner
from stillframe.clock import Clock
from stillframe.link_keys import FixedLinkKeys
from stillframe.tenants.key_store import KeyStore
from stillframe_api.api import Api
from stillframe_api.services import Services
from stillframe_cli.api_server import serving
from tests.support.cloud import Cloud
from tests.support.workers import Fleet, fleet


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(frozen=True)
class Reply:
    """An HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> tuple[int, str, str]:
        """The status, the code and the sentence of a problem."""
        assert self.headers["Content-Type"] == "application/problem+json"
        assert self.json["status"] == self.status
        return self.status, self.json["code"], self.json["detail"]


@dataclass(frozen=True)
class Client:
    """Calls the API and follows nothing."""

    url: str
    key: str | None = None

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        given.setdefault("Content-Type", "application/json")
        if self.key is not None:
            given.setdefault("Authorization", f"Bearer {self.key}")
        request = urllib.request.Request(self.url + path, data=data, headers=given, method=method)
        opener = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))
        try:
            response = opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            return Reply(response.status, dict(response.headers), response.read())

    def get(self, path: str, **headers: str) -> Reply:
        return self.call("GET", path, **headers)

    def post(self, body: Any, **headers: str) -> Reply:
        return self.call("POST", "/v1/screenshots", body, **headers)


LINK_KEY = "a key of the tests"


def services_of(cloud: Cloud, *, needs_key: bool = False, clock: Clock | None = None) -> Services:
    """What the API of a deployment is made of."""
    keys = FixedLinkKeys(LINK_KEY)
    return Services.build(
        cloud.clients, cloud.settings, connect_presigner(), needs_key=needs_key, link_keys=keys, clock=clock
    )


def api_of(cloud: Cloud) -> Api:
    """The API of a deployment, as a process has it."""
    return Api(services_of(cloud))


@pytest.fixture
def client(cloud: Cloud) -> Iterator[Client]:
    with serving(socket.create_server(("127.0.0.1", 0), backlog=1024), api_of(cloud).handle) as url:
        yield Client(url)


@pytest.fixture
def locked(cloud: Cloud) -> Iterator[Client]:
    """The API that wants keys, called without one."""
    with serving(
        socket.create_server(("127.0.0.1", 0), backlog=1024), Api(services_of(cloud, needs_key=True)).handle
    ) as url:
        yield Client(url)


@pytest.fixture
def key_store(cloud: Cloud) -> KeyStore:
    return KeyStore(cloud.clients, cloud.settings)


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Fleet]:
    with fleet(tmp_path) as running:
        yield running
