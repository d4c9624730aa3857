"""Shots beside the image: all of one attempt, or none, whoever dies when, and everything that reads them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from stillframe.client import QueueClient
from stillframe.errors import SelectorNotFound, ServiceUnavailable
from stillframe.image.shot import MANIFEST_FILE, Shot
from stillframe.image.store import ImageStore
from stillframe.outcome import OutcomeKind
from stillframe.refused import NotCaptured
from stillframe.request.capture_request import CaptureRequest
from stillframe.request.options import ImageFormat
from stillframe.table.record import Status
from stillframe_cli.auditor import Auditor
from stillframe_cli.bucket_listing import stored_objects
from stillframe_cli.findings import Finding, FindingKind
from tests.support.cloud import Cloud
from tests.support.fakes import (
    FakeClock,
    FakeContext,
    FakeRenderer,
    capture_with,
    dying_before_completion,
    fake_shot,
    message,
)

REQUEST = CaptureRequest(url="https://example.com/", request_id="a.b")
LEASE_SECONDS = 3600


def shots_of(number: int) -> tuple[Shot, ...]:
    """The shots of one render."""
    return (fake_shot("phone", b"narrow %d" % number), fake_shot("part", b"part %d" % number, ImageFormat.JPEG))


def capture(cloud: Cloud, number: int, clock: FakeClock) -> OutcomeKind:
    renderer = FakeRenderer(shots=shots_of(number))
    worker = capture_with(cloud.clients, cloud.settings, renderer, clock, f"worker-{number}")
    return worker.process(message(REQUEST, "m-1", number, clock.ms), FakeContext()).kind


def read(cloud: Cloud, url: str) -> bytes:
    key = url.removeprefix(f"s3://{cloud.settings.bucket_name}/")
    return cloud.clients.s3.get_object(Bucket=cloud.settings.bucket_name, Key=key)["Body"].read()


def seen(cloud: Cloud) -> list[bytes]:
    """What a reader of the record sees, each verified by its hash."""
    shots = cloud.record("a.b").shots or []
    found = [read(cloud, shot.s3_url) for shot in shots]
    assert [hashlib.sha256(data).hexdigest() for data in found] == [shot.sha256 for shot in shots]
    return found


def audit(cloud: Cloud) -> list[Finding]:
    findings: list[Finding] = []
    Auditor(cloud.clients, cloud.settings).audit(findings.append)
    return findings


def test_the_record_has_a_manifest_of_its_shots(cloud: Cloud) -> None:
    # Given / When a page is captured with two shots
    assert capture(cloud, 1, FakeClock()) is OutcomeKind.CAPTURED
    # Then the record lists them in their order, with what is needed to verify and show them
    record = cloud.record("a.b")
    first, second = record.to_wire()["shots"]
    assert (first["name"], first["contentType"], first["width"], first["height"]) == ("phone", "image/png", 8, 6)
    assert (second["name"], second["contentType"], second["bytes"]) == ("part", "image/jpeg", 6)
    assert seen(cloud) == [b"narrow 1", b"part 1"]
    # And so does the manifest beside them, which outlives the record
    folder = first["s3Url"].rpartition("/")[0]
    assert json.loads(read(cloud, f"{folder}/{MANIFEST_FILE}")) == record.to_wire()["shots"]
    # And the audit counts image, shots and manifest, and finds nothing
    assert len(list(stored_objects(cloud.clients, cloud.settings))) == 4
    assert audit(cloud) == []


@pytest.fixture(params=["shot-phone.png", "shot-part.jpg", MANIFEST_FILE, ".png"])
def dying_before(request: pytest.FixtureRequest) -> Iterator[pytest.MonkeyPatch]:
    """A worker that dies before it puts this object."""
    write, end = ImageStore._write, request.param

    def die(self: ImageStore, key: str, *arguments: Any) -> bool:
        if key.endswith(end) and (end != ".png" or "/shot-" not in key):
            raise ServiceUnavailable("the worker is gone")
        return write(self, key, *arguments)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ImageStore, "_write", die)
        yield patched


def test_shots_of_a_dead_attempt_are_never_seen(cloud: Cloud, dying_before: pytest.MonkeyPatch) -> None:
    # Given a worker that dies between any two puts
    clock = FakeClock()
    assert capture(cloud, 1, clock) is OutcomeKind.RETRY
    assert cloud.record("a.b").shots is None
    dying_before.undo()
    # When the next worker captures the page
    assert capture(cloud, 2, clock) is OutcomeKind.CAPTURED
    # Then its shots are there, all of them, and what the first one left is no defect
    assert seen(cloud) == [b"narrow 2", b"part 2"]
    assert {each.kind for each in audit(cloud)} <= {FindingKind.ORPHANED}


def test_an_adopted_image_keeps_the_shots_of_its_own_attempt(cloud: Cloud) -> None:
    # Given a worker that stored everything and died before completing the record
    clock = FakeClock()
    with dying_before_completion():
        capture(cloud, 1, clock)
    assert cloud.record("a.b").shots is None
    # When the next worker takes over, without rendering
    clock.advance(LEASE_SECONDS)
    assert capture(cloud, 2, clock) is OutcomeKind.CAPTURED
    # Then the record is that of the first attempt
    assert seen(cloud) == [b"narrow 1", b"part 1"]
    assert [shot.width for shot in cloud.record("a.b").shots or ()] == [8, 8]
    assert audit(cloud) == []


def test_of_two_attempts_at_once_one_has_all_its_shots(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a worker whose lease ends while it renders, and another one that captures meanwhile
    clock = FakeClock()
    renderer = FakeRenderer(shots=shots_of(1))

    def overtake() -> None:
        clock.advance(LEASE_SECONDS)
        assert capture(cloud, 2, clock) is OutcomeKind.CAPTURED

    renderer.during = overtake
    worker = capture_with(cloud.clients, cloud.settings, renderer, clock, "worker-1")
    # When the first one stores its own
    worker.process(message(REQUEST, "m-1", 1, clock.ms), FakeContext())
    # Then the record has the shots of the second one, untouched
    assert seen(cloud) == [b"narrow 2", b"part 2"]


def test_an_image_that_has_lost_its_manifest_is_not_adopted(cloud: Cloud) -> None:
    # Given an image whose manifest somebody has deleted, and whose record was never completed
    clock = FakeClock()
    with dying_before_completion():
        capture(cloud, 1, clock)
    (key,) = [each.key for each in stored_objects(cloud.clients, cloud.settings) if each.key.endswith(MANIFEST_FILE)]
    cloud.clients.s3.delete_object(Bucket=cloud.settings.bucket_name, Key=key)
    # When the next worker finds it, then nothing is seen of it
    clock.advance(LEASE_SECONDS)
    assert capture(cloud, 2, clock) is OutcomeKind.FAILED
    record = cloud.record("a.b")
    assert (record.status, record.error_code, record.shots) == (Status.FAILED, "OBJECT_CONFLICT", None)
    assert "manifest" in (record.error_message or "")


def test_a_shot_that_fails_stores_nothing(cloud: Cloud) -> None:
    # Given a page of which one shot cannot be taken
    def fail() -> None:
        raise SelectorNotFound("shot price: selector: no visible element of the page matches #price")

    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(during=fail), FakeClock())
    # When it is captured
    assert worker.process(message(REQUEST), FakeContext()).kind is OutcomeKind.FAILED
    # Then the record names the shot, and the bucket is empty
    record = cloud.record("a.b")
    assert (record.error_code, record.shots) == ("SELECTOR_NOT_FOUND", None)
    assert (record.error_message or "").startswith("shot price:")
    assert list(stored_objects(cloud.clients, cloud.settings)) == []


@pytest.mark.parametrize("damage", ["deleted", "replaced"])
def test_the_audit_reports_a_shot_that_is_not_what_the_record_says(cloud: Cloud, damage: str) -> None:
    capture(cloud, 1, FakeClock())
    (key,) = [each.key for each in stored_objects(cloud.clients, cloud.settings) if each.key.endswith("part.jpg")]
    cloud.clients.s3.delete_object(Bucket=cloud.settings.bucket_name, Key=key)
    if damage == "replaced":
        cloud.clients.s3.put_object(
            Bucket=cloud.settings.bucket_name, Key=key, Body=b"other", ChecksumAlgorithm="SHA256"
        )
    lost = [each for each in audit(cloud) if each.kind is FindingKind.LOST]
    assert [(each.id, each.s3_key) for each in lost] == [("a.b", key)]
    assert "part" in lost[0].problem


def test_a_client_downloads_a_shot_by_its_name(cloud: Cloud) -> None:
    capture(cloud, 1, FakeClock())
    client = QueueClient(cloud.settings, cloud.clients)
    assert client.shot("a.b", "phone") == b"narrow 1"
    with pytest.raises(NotCaptured, match="no shot tablet"):
        client.shot("a.b", "tablet")
