"""The clients, against the API over HTTP and against the queue, with a worker whose browser is a fake."""

from __future__ import annotations

import asyncio
import http.server
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.credentials import Credentials

from stillframe.client import ApiClient, ApiError, AsyncClient, CaptureFailed, NotInTime, QueueClient
from stillframe.client import Client as AnyClient
from stillframe.client.transport import Transport
from stillframe.clock import SystemClock
from stillframe.errors import InvalidRequest, TlsFailure
from stillframe.request.capture_request import CaptureRequest
from stillframe.table.record import Status
from stillframe.tenants.key_store import KeyStore
from stillframe.tenants.limits import Limits
from tests.support.cloud import Cloud
from tests.support.fakes import FakeContext, FakeRenderer, capture_with, fake_shot, message
from tests.support.serving import QuietHandler, serving

from .conftest import Client

URL = "https://example.com/"


@pytest.fixture(params=["api", "queue"])
def any_client(request: pytest.FixtureRequest, cloud: Cloud, client: Client) -> AnyClient:
    return ApiClient(client.url) if request.param == "api" else QueueClient(cloud.settings, cloud.clients)


@pytest.fixture
def worker(cloud: Cloud) -> Iterator[FakeRenderer]:
    """Captures whatever is on the queue, until the test ends."""
    renderer, stop = FakeRenderer(), threading.Event()
    capture = capture_with(cloud.clients, cloud.settings, renderer, SystemClock())

    def work() -> None:
        while not stop.is_set():
            for each in cloud.receive(wait=0):
                capture.process(message(each["Body"], each["MessageId"]), FakeContext())
            stop.wait(0.05)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield renderer
    stop.set()
    thread.join()


def test_a_page_is_captured_in_one_call_and_once(any_client: AnyClient, worker: FakeRenderer) -> None:
    # Given / When the same page is captured twice with the same id
    images = [any_client.capture(URL, id="order-42", options={"fullPage": True}, seconds=20) for _ in range(2)]
    # Then both are the one image, and the record is there
    assert images[0] == images[1] != b""
    assert len(worker.rendered) == 1
    record = any_client.record("order-42")
    assert (record.status, record.options) == (Status.SUCCESS, {"fullPage": True})


def test_a_shot_is_downloaded_by_its_name(any_client: AnyClient, worker: FakeRenderer) -> None:
    # Given a screenshot with a shot
    worker.shots = (fake_shot("phone", b"narrow"),)
    any_client.capture(URL, id="order-42", seconds=20)
    # When it is downloaded, then it is the one that the record names
    (shot,) = any_client.record("order-42").shots or []
    assert (any_client.shot("order-42", "phone"), shot.bytes) == (b"narrow", 6)
    assert asyncio.run(AsyncClient(any_client).shot("order-42", "phone")) == b"narrow"


def test_a_capture_that_fails_says_why(any_client: AnyClient, worker: FakeRenderer) -> None:
    # Given a page that cannot be captured
    def fail() -> None:
        raise TlsFailure("the certificate has expired")

    worker.during = fail
    # When it is captured
    with pytest.raises(CaptureFailed) as failed:
        any_client.capture(URL, id="failing", seconds=20)
    # Then the error has the record
    assert failed.value.record.error_code == "TLS_ERROR"
    assert "certificate" in str(failed.value)


def test_who_has_no_patience_learns_the_id(any_client: AnyClient) -> None:
    with pytest.raises(NotInTime) as late:
        any_client.capture(URL, id="later", seconds=0.3)
    assert late.value.id == "later"


def test_a_wrong_request_is_refused_with_the_sentence_of_the_record(client: Client, cloud: Cloud) -> None:
    with pytest.raises(ApiError, match=r"INVALID_REQUEST: options\.viewport\.width|viewport") as refused:
        ApiClient(client.url).send(URL, options={"viewport": {"width": 0}})
    assert refused.value.status == 422
    with pytest.raises(InvalidRequest, match="viewport"):
        QueueClient(cloud.settings, cloud.clients).send(URL, options={"viewport": {"width": 0}})


def test_an_api_that_is_not_there_is_named() -> None:
    # Given an address at which nobody answers / When something is sent
    with pytest.raises(ApiError) as refused:
        ApiClient("http://127.0.0.1:1", transport=Transport(lambda *_: {}, tries=1)).send(URL)
    # Then the error names it, and no object of a library
    assert re.fullmatch(r"no answer from http://127\.0\.0\.1:1: .*Connection refused", str(refused.value))
    assert "object at" not in str(refused.value)


def test_many_are_sent_a_hundred_at_a_time_and_answered_one_by_one(client: Client) -> None:
    # Given more requests than a call takes, one of them wrong
    requests = [CaptureRequest(url=URL, request_id=f"n-{number}") for number in range(120)]
    requests[110] = CaptureRequest(url="ftp://example.com/", request_id="wrong")
    # When they are sent
    answers = ApiClient(client.url).send_all(requests)
    # Then each has its answer, in order
    assert [getattr(each, "id", None) for each in answers] == [
        None if request.request_id == "wrong" else request.request_id for request in requests
    ]
    assert isinstance(answers[110], ApiError)
    # And the list has them, page by page
    assert len(list(ApiClient(client.url).records(Status.QUEUED))) == 119


def test_a_key_is_sent(locked: Client, key_store: KeyStore) -> None:
    with pytest.raises(ApiError) as refused:
        ApiClient(locked.url).send(URL)
    assert refused.value.status == 401
    key, _ = key_store.create("acme", Limits(per_minute=10, per_day=10, usd_per_month=1))
    assert ApiClient(locked.url, key=key.text).send(URL, id="a").id == "acme:a"


def test_asyncio_has_the_same(any_client: AnyClient, worker: FakeRenderer) -> None:
    async def capture_all() -> list[bytes]:
        client = AsyncClient(any_client)
        return await asyncio.gather(*(client.capture(f"{URL}{number}", seconds=30) for number in range(4)))

    # Given / When four pages are captured at once
    images = asyncio.run(capture_all())
    # Then all are there
    assert all(images)
    assert len(worker.rendered) == 4


Answers = Callable[[int], tuple[int, dict[str, str], bytes]]


def answering(answer: Answers, seen: list[Any]) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(QuietHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((dict(self.headers), body))
            status, headers, content = answer(len(seen))
            self.answer(status, content, **{"Content-Type": "application/json", **headers})

    return Handler


def test_what_fails_for_the_moment_is_repeated_with_the_same_id() -> None:
    # Given an API that is unavailable twice, and throttles once
    seen: list[Any] = []
    pauses: list[float] = []

    def answer(number: int) -> tuple[int, dict[str, str], bytes]:
        busy = {1: (503, {}), 2: (502, {}), 3: (429, {"Retry-After": "7"})}
        status, headers = busy.get(number, (202, {}))
        return status, headers, b'{"id": "a", "status": "queued"}'

    with serving(answering(answer, seen)) as address:
        transport = Transport(lambda *_: {}, sleep=pauses.append)
        # When a request is sent
        sent = ApiClient(f"http://{address}", transport=transport).send(URL, id="a")
    # Then it was sent until it was accepted, each time the same, and no sooner than asked
    assert sent.id == "a"
    assert len({body for _, body in seen}) == 1
    assert len(seen) == 4
    assert pauses[2] == 7


def test_what_is_refused_is_not_repeated_and_an_api_that_is_gone_is_named() -> None:
    # Given an API that refuses, and one that is not there
    seen: list[Any] = []
    with serving(answering(lambda _: (403, {}, b'{"message": "Forbidden"}'), seen)) as address:
        with pytest.raises(ApiError, match="Forbidden"):
            ApiClient(f"http://{address}").send(URL)
        assert len(seen) == 1
    transport = Transport(lambda *_: {}, sleep=lambda _: None)
    with pytest.raises(ApiError, match="no answer") as gone:
        ApiClient(f"http://{address}", transport=transport).send(URL)
    assert gone.value.status == 0


def test_with_a_region_requests_are_signed() -> None:
    # Given credentials of AWS, and an API behind IAM
    seen: list[Any] = []
    with serving(answering(lambda _: (202, {}, b'{"id": "a", "status": "queued"}'), seen)) as address:
        credentials = Credentials("AKIDEXAMPLE", "secret", "session")
        # When a request is sent
        ApiClient(f"http://{address}", region="eu-central-1", credentials=credentials).send(URL)
    # Then it has a signature of version 4 for execute-api, over host and content
    ((headers, _),) = seen
    assert headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-central-1/execute-api/aws4_request" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == "session"
    assert headers["Host"] == address
