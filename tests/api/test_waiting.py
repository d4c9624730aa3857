"""Who prefers to wait is led to the image when it is there, and delays nobody."""

from __future__ import annotations

import socket
import time
from threading import Timer

import pytest

from stillframe_cli.api_server import serving
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud
from tests.support.workers import Fleet

from .conftest import Client, api_of
from .records import fetched, set_record, succeed

URL = "https://example.com/"


@pytest.mark.parametrize("preference", ["wait=20", "respond-async, WAIT=20", "wait=9999", 'wait="20"; x=y'])
def test_who_prefers_to_wait_is_led_to_the_image(client: Client, cloud: Cloud, preference: str) -> None:
    # Given a worker that captures soon
    Timer(0.5, succeed, (cloud, "a")).start()
    # When the caller waits
    reply = client.post({"url": URL, "requestId": "a"}, Prefer=preference)
    # Then the answer is the image
    assert reply.status == 303
    assert fetched(reply.headers["Location"])[0] == b"image"
    assert reply.headers["Preference-Applied"].startswith("wait=2")
    assert reply.headers["Content-Location"] == "/v1/screenshots/a"


def test_who_prefers_to_wait_is_led_to_an_image_that_is_there_already(client: Client, cloud: Cloud) -> None:
    # Given a screenshot that was captured between two requests of a caller who repeats them
    client.post({"url": URL, "requestId": "a"})
    succeed(cloud, "a")
    # When it is asked for again, then the answer is the image, as it would have been a moment before
    reply = client.post({"url": URL, "requestId": "a"}, Prefer="wait=20")
    assert reply.status == 303
    assert fetched(reply.headers["Location"])[0] == b"image"
    assert reply.headers["Content-Location"] == "/v1/screenshots/a"


def test_a_failure_that_is_known_already_is_told_at_once(client: Client, cloud: Cloud) -> None:
    client.post({"url": URL, "requestId": "a"})
    set_record(cloud, "a", status="failed", errorCode="UNKNOWN_HOST")
    reply = client.post({"url": URL, "requestId": "a"}, Prefer="wait=20")
    assert (reply.status, reply.json["status"]) == (200, "failed")


def test_a_wait_ends_in_time_with_what_is_known(client: Client) -> None:
    began = time.monotonic()
    reply = client.post({"url": URL, "requestId": "a"}, Prefer="wait=1")
    assert reply.status == 202
    assert 0.9 < time.monotonic() - began < 3


def test_a_wait_ends_when_the_capture_fails(client: Client, cloud: Cloud) -> None:
    failure = {"status": "failed", "errorCode": "UNKNOWN_HOST"}
    Timer(0.4, set_record, (cloud, "a"), failure).start()
    reply = client.post({"url": URL, "requestId": "a"}, Prefer="wait=20")
    assert (reply.status, reply.json["status"]) == (200, "failed")


@pytest.mark.parametrize("preference", ["wait=0", "wait=-1", "wait=x", "await=5", "", "wait"])
def test_a_preference_that_is_malformed_is_ignored(client: Client, preference: str) -> None:
    began = time.monotonic()
    assert client.post({"url": URL}, Prefer=preference).status == 202
    assert time.monotonic() - began < 2


def test_who_waits_delays_nobody_else(client: Client) -> None:
    # Given a caller who waits
    waiting = Timer(0, client.post, ({"url": URL, "requestId": "a"},), {"Prefer": "wait=4"})
    waiting.start()
    time.sleep(0.3)
    # When another one asks, then the answer comes at once
    began = time.monotonic()
    assert client.get("/health").status == 200
    assert time.monotonic() - began < 1.5
    waiting.join()


def test_a_page_is_captured_through_the_api(make_cloud: MakeCloud, workers: Fleet, site: str, chromium: str) -> None:
    # Given a worker, and the API on the same cloud
    cloud = make_cloud(STILLFRAME_ALLOW_HOSTS=site, STILLFRAME_TABS="1")
    workers.start(cloud.exports, "--continuous")
    with serving(socket.create_server(("127.0.0.1", 0)), api_of(cloud).handle) as url:
        # When a page is sent by who waits
        body = {"url": f"http://{site}/colour?hex=00aa00", "options": {"viewport": {"width": 64, "height": 48}}}
        reply = Client(url).post(body, Prefer="wait=25")
    # Then the answer leads to its image
    assert reply.status == 303
    data, content_type = fetched(reply.headers["Location"])
    assert (data[:4], content_type) == (b"\x89PNG", "image/png")
