"""A signed link to a forbidden address, in every notation: refused or failed, and no canary is hit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from stillframe.clients import connect_presigner
from stillframe.clock import SystemClock
from stillframe.link_keys import FixedLinkKeys
from stillframe.request.capture_request import CaptureRequest
from stillframe.signed_link import SignedLink
from stillframe_api.api import Api
from stillframe_api.services import Services
from stillframe_renderer.message.capture import Capture
from stillframe_renderer.message.wiring import wire_capture
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud
from tests.support.fakes import FakeContext, fake_meter, message

from .attacks import HOSTS
from .conftest import Arena

KEY = "a key of the tests"
# Hosts and paths of what a cloud keeps at a link-local address (RFC 3927).
METADATA = (
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://169.254.170.2/v2/credentials",
)
SCHEMES = (
    "file:///etc/passwd",
    "data:text/html,x",
    "javascript:1",
    "ftp://127.0.0.1/",
    "view-source:http://127.0.0.1/",
)


class OutOfTimeContext:
    """The context of an invocation that has no time to wait."""

    def get_remaining_time_in_millis(self) -> int:
        return 2000


@dataclass(frozen=True)
class Service:
    """An API, and a worker with a real browser behind a guard."""

    cloud: Cloud
    api: Api
    capture: Capture
    arena: Arena

    def open(self, path: str) -> tuple[int, str]:
        """The status of a link, and where it leads."""
        http = {"method": "GET", "path": path}
        event: dict[str, Any] = {"rawPath": path, "requestContext": {"http": http, "stage": "$default"}}
        answer = self.api.handle(event, OutOfTimeContext())
        return answer["statusCode"], answer["headers"].get("Location", "")

    def opened(self, url: str) -> tuple[int, str]:
        """The status of a link to a URL once a worker has done what it caused."""
        path = SignedLink(url=url, expires=int(time.time()) + 3600).path(KEY.encode())
        status, location = self.open(path)
        if status != 202:
            return status, location
        for number, received in enumerate(self.cloud.receive()):
            request = CaptureRequest.from_body(received["Body"])
            # The last receive, so that what may pass is recorded too.
            self.capture.process(message(request, f"m-{number}-{request.id}", receive_count=5), FakeContext())
            self.cloud.clients.sqs.delete_message(
                QueueUrl=self.cloud.settings.queue_url, ReceiptHandle=received["ReceiptHandle"]
            )
        return self.open(path)


@pytest.fixture
def service(make_cloud: MakeCloud, arena: Arena) -> Iterator[Service]:
    cloud, clock = make_cloud(), SystemClock()
    with arena.engine() as engine:
        capture = wire_capture(cloud.settings, cloud.clients, engine, clock, fake_meter(clock))
        services = Services.build(
            cloud.clients, cloud.settings, connect_presigner(), needs_key=True, link_keys=FixedLinkKeys(KEY)
        )
        arena.canary.hits.clear()
        yield Service(cloud, Api(services), capture, arena)


def test_no_notation_of_a_forbidden_address_is_fetched_by_a_link(service: Service) -> None:
    # Given links to the canaries, in every notation of their addresses
    port = service.arena.canary.port
    urls = [f"http://{host}:{port}/link/{number}" for number, host in enumerate(HOSTS)]
    # And links to a page that is allowed and redirects there
    urls += [f"http://{service.arena.site}/redirect?status=302&to={quote(url)}" for url in urls]
    # And links to a cloud's own addresses, and of other schemes
    urls += [*METADATA, *SCHEMES]
    # When each is opened, and a worker has done what that caused
    statuses = {url: service.opened(url)[0] for url in urls}
    # Then each is refused at once, or its capture has failed
    assert {url: status for url, status in statuses.items() if status not in (409, 422)} == {}
    assert {statuses[url] for url in SCHEMES} == {422}
    # And nothing was fetched, and nothing stored
    assert service.arena.canary.hits == []
    assert service.cloud.versions() == []


def test_a_link_to_an_allowed_page_leads_to_its_image(service: Service) -> None:
    status, location = service.opened(f"http://{service.arena.site}/page?body=x")
    assert status == 303
    assert location.startswith("http")
