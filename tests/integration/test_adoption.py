"""An image that is already stored: it is adopted if it belongs to the request, and never written a second time."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.image.store import ImageStore
from stillframe.outcome import OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options import ImageFormat
from stillframe.table.attributes import item_key
from stillframe.table.record import Status
from tests.simulation.aws.errors import client_error
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, dying_before_completion, message

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


def test_an_object_is_not_adopted_by_another_request_of_its_id(cloud: Cloud, clock: FakeClock) -> None:
    # Given an image whose record has expired, so that only the object is left
    green, red = FakeRenderer(color="#00aa00"), FakeRenderer(color="#ff0000")
    capture_with(cloud.clients, cloud.settings, green, clock).process(message(REQUEST), FakeContext())
    expire(cloud, "page-1")
    # When the same id is used for another page
    other = CaptureRequest(url="https://example.com/other", request_id="page-1")
    outcome = capture_with(cloud.clients, cloud.settings, red, clock).process(message(other, "m-2"), FakeContext())
    # Then that request fails with the conflict in its record, and the first image is untouched
    record = cloud.record("page-1")
    assert (outcome.kind, outcome.reason, outcome.acknowledge) == (OutcomeKind.FAILED, "ID_CONFLICT", True)
    assert (record.status, record.error_code, record.s3_url) == (Status.FAILED, "ID_CONFLICT", None)
    assert len(cloud.versions()) == 1
    assert cloud.audit().is_clean


def test_the_same_request_adopts_its_image_after_the_record_has_expired(cloud: Cloud, clock: FakeClock) -> None:
    # Given an image whose record has expired
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock)
    first = worker.process(message(REQUEST), FakeContext())
    expire(cloud, "page-1")
    # When the same request comes again, with an option spelled out that is the default anyway
    same = REQUEST.model_copy(update={"options": {"fullPage": False}})
    again = worker.process(message(same, "m-2"), FakeContext())
    # Then the image is adopted, and never stored a second time
    assert first.image is not None
    assert again.image is not None
    assert (again.kind, again.adopted, again.image.sha256) == (OutcomeKind.CAPTURED, True, first.image.sha256)
    assert len(cloud.versions()) == 1


def test_a_takeover_does_not_adopt_an_object_of_another_request(cloud: Cloud, clock: FakeClock) -> None:
    # Given the image of an expired record, and a second request of its id whose holder dies while it renders
    capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock).process(message(REQUEST), FakeContext())
    expire(cloud, "page-1")
    other = CaptureRequest(url="https://example.com/", request_id="page-1", options={"fullPage": True})

    def die() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        capture_with(cloud.clients, cloud.settings, FakeRenderer(die), clock).process(
            message(other, "m-2"), FakeContext()
        )
    # When another worker takes the claim over
    clock.advance(100)
    renderer = FakeRenderer()
    outcome = capture_with(cloud.clients, cloud.settings, renderer, clock).process(
        message(other, "m-2", receive_count=2), FakeContext()
    )
    # Then it finds the object before it renders anything, and refuses it
    assert (outcome.reason, renderer.rendered) == ("ID_CONFLICT", [])


def test_an_object_without_a_payload_hash_is_not_adopted(cloud: Cloud, clock: FakeClock) -> None:
    # Given an object of an earlier version, whose metadata does not say which request it belongs to
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock)
    worker.process(message(REQUEST), FakeContext())
    forget_payload_hash(cloud, "page-1")
    expire(cloud, "page-1")
    # When its id comes again
    outcome = worker.process(message(REQUEST, "m-2"), FakeContext())
    # Then the capture fails with that reason
    assert (outcome.kind, outcome.reason) == (OutcomeKind.FAILED, "OBJECT_CONFLICT")


def test_an_object_without_a_payload_hash_is_adopted_under_the_claim_that_stored_it(
    cloud: Cloud, clock: FakeClock
) -> None:
    # Given a worker of an earlier version that died after it had stored its image
    with dying_before_completion():
        capture_with(cloud.clients, cloud.settings, FakeRenderer(), clock).process(message(REQUEST), FakeContext())
    forget_payload_hash(cloud, "page-1")
    # When a worker of this version takes its claim over
    clock.advance(100)
    renderer = FakeRenderer()
    outcome = capture_with(cloud.clients, cloud.settings, renderer, clock).process(
        message(REQUEST, receive_count=2), FakeContext()
    )
    # Then it adopts the image, because the object bears the token of that claim
    assert (outcome.kind, outcome.adopted, renderer.rendered) == (OutcomeKind.CAPTURED, True, [])


def expire(cloud: Cloud, name: str) -> None:
    """Delete a record, as the table's time to live does."""
    cloud.clients.dynamodb.delete_item(TableName=cloud.settings.table_name, Key=item_key(name))


def forget_payload_hash(cloud: Cloud, name: str) -> None:
    """Replace the object of an id by one that an earlier version would have stored."""
    bucket, s3 = cloud.settings.bucket_name, cloud.clients.s3
    key = ImageStore(s3, bucket, cloud.settings.key_prefix).key(name, ImageFormat.PNG)
    stored = s3.get_object(Bucket=bucket, Key=key)
    metadata = {entry: value for entry, value in stored["Metadata"].items() if entry != "payload-hash"}
    assert len(metadata) == len(stored["Metadata"]) - 1
    (version,) = s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
    s3.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
    s3.put_object(
        Bucket=bucket, Key=key, Body=stored["Body"].read(), ContentType=stored["ContentType"], Metadata=metadata
    )
