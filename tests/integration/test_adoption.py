"""An image that is already stored: it is adopted if it belongs to the request, and never written a second time."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.image.store import ImageStore
from stillframe.outcome import OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options import ImageFormat
from stillframe.table.record import Status
from tests.simulation.aws.errors import client_error
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, message

REQUEST = CaptureRequest(url="https://example.com/", request_id="page-1")


def test_after_a_crash_between_put_and_completion_the_image_is_adopted(
    cloud: Cloud, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a worker that dies right after its put
    renderer = FakeRenderer()
    dying = capture_with(cloud.clients, cloud.settings, renderer, clock, "worker-1")
    put_object = cloud.clients.s3.put_object

    def put_and_die(**arguments: Any) -> None:
        put_object(**arguments)
        raise SystemExit

    monkeypatch.setattr(cloud.clients.s3, "put_object", put_and_die)
    with pytest.raises(SystemExit):
        dying.process(message(REQUEST), FakeContext(60))
    monkeypatch.undo()
    before = cloud.versions()
    # When its message is delivered again after the lease has ended
    clock.advance(100)
    second_renderer = FakeRenderer(color="#ff0000")
    outcome = capture_with(cloud.clients, cloud.settings, second_renderer, clock, "worker-2").process(
        message(REQUEST, receive_count=2), FakeContext()
    )
    # Then the object is adopted without another render, and the record is complete
    record = cloud.record("page-1")
    assert (outcome.kind, outcome.adopted, second_renderer.rendered) == (OutcomeKind.CAPTURED, True, [])
    assert cloud.versions() == before
    assert (record.status, record.width, record.http_status, record.title) == (Status.SUCCESS, 8, 200, "Fake é")
    assert record.final_url == "https://example.com/"
    assert cloud.audit().is_clean


def test_a_second_put_adopts_the_first_object(cloud: Cloud, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a put whose answer is lost, after which the claim is released
    put_object = cloud.clients.s3.put_object

    def put_and_lose_the_answer(**arguments: Any) -> None:
        put_object(**arguments)
        raise client_error("PutObject", "SlowDown", 503)

    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(color="#00aa00"), clock)
    monkeypatch.setattr(cloud.clients.s3, "put_object", put_and_lose_the_answer)
    first = worker.process(message(REQUEST), FakeContext())
    monkeypatch.undo()
    stored = cloud.clients.s3.list_objects_v2(Bucket=cloud.settings.bucket_name)["Contents"][0]
    # When the next delivery renders a different image
    other = capture_with(cloud.clients, cloud.settings, FakeRenderer(color="#ff0000"), clock)
    second = other.process(message(REQUEST, receive_count=2), FakeContext())
    # Then the first image stays, in one version, and the record describes it
    assert (first.reason, second.kind, second.adopted) == ("AWS_ERROR", OutcomeKind.CAPTURED, True)
    assert cloud.versions() == [stored["Key"]]
    assert cloud.audit().is_clean


def test_a_foreign_object_under_the_key_is_not_adopted(cloud: Cloud, clock: FakeClock) -> None:
    # Given an object that somebody else stored under the key of the image
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock)
    key = ImageStore(cloud.clients.s3, "", cloud.settings.key_prefix).key("page-1", ImageFormat.PNG)
    cloud.clients.s3.put_object(Bucket=cloud.settings.bucket_name, Key=key, Body=b"foreign")
    # When the page is captured
    outcome = worker.process(message(REQUEST), FakeContext())
    # Then the capture fails with that reason, and the object is untouched
    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, "OBJECT_CONFLICT")
    assert len(cloud.versions()) == 1
