"""Two tenants of one deployment, and what they must not learn of each other."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Record
from stillframe.tenants.key_store import KeyStore
from stillframe.tenants.limits import Limits
from stillframe_api.api import Api
from stillframe_cli.api_server import serving
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, message

from .conftest import Client, Reply, services_of
from .records import set_record, succeed

URL = "https://example.com/"


@dataclass(frozen=True)
class Tenants:
    """Two tenants of one deployment. Acme has a success, a failure and a queued request; bravo is the one who tries."""

    cloud: Cloud
    acme: Client
    bravo: Client
    operator: Client


@contextlib.contextmanager
def two_tenants(cloud: Cloud) -> Iterator[Tenants]:
    keys = {name: KeyStore(cloud.clients, cloud.settings).create(name, Limits())[0].text for name in ("acme", "bravo")}
    for name in ("done", "broken", "waiting"):
        cloud.send(CaptureRequest(url=URL, request_id=f"acme:{name}", tenant="acme", metadata={"of": "acme"}))
    succeed(cloud, "acme:done", b"acme's image")
    failed = {"status": "failed", "errorCode": "TIMEOUT", "errorMessage": "acme's page"}
    set_record(cloud, "acme:broken", **failed, indexShard="failed#3")
    locked, opened = (Api(services_of(cloud, needs_key=each)) for each in (True, False))

    def listener() -> socket.socket:
        return socket.create_server(("127.0.0.1", 0), backlog=128)

    with serving(listener(), locked.handle) as url, serving(listener(), opened.handle) as operator:
        yield Tenants(cloud, Client(url, keys["acme"]), Client(url, keys["bravo"]), Client(operator))


def captured(tenants: Tenants, reply: Reply) -> Record:
    cloud, clock = tenants.cloud, FakeClock()
    body = next(each["Body"] for _ in range(5) for each in cloud.receive() if f'"{reply.json["id"]}"' in each["Body"])
    request = CaptureRequest.from_body(body)
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock)
    worker.process(message(request, f"m-{request.id}", received_at_ms=clock.ms), FakeContext())
    return cloud.record(reply.json["id"])
