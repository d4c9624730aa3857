"""Extra objects beside the image: stored before it, under the token of its claim, and named in the record."""

from __future__ import annotations

from typing import Any

import pytest

from stillframe.errors import ServiceUnavailable
from stillframe.image.extra import Extra, ExtraKind
from stillframe.image.store import ImageStore
from stillframe.outcome import OutcomeKind
from stillframe.request.capture_request import CaptureRequest
from stillframe_cli.auditor import Auditor
from stillframe_cli.bucket_listing import stored_objects
from stillframe_cli.findings import Finding, FindingKind
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, dying_before_completion, message

REQUEST = CaptureRequest(url="https://example.com/", request_id="a.b")
LEASE_SECONDS = 3600


def extras_of(number: int) -> tuple[Extra, ...]:
    """The thumbnail and the page source of one render."""
    return (Extra.thumbnail(b"small %d" % number, "webp"), Extra.page(ExtraKind.HTML, b"source %d" % number))


def capture(cloud: Cloud, number: int, clock: FakeClock, message_id: str = "m-1") -> OutcomeKind:
    worker = capture_with(
        cloud.clients, cloud.settings, FakeRenderer(extras=extras_of(number)), clock, f"worker-{number}"
    )
    return worker.process(message(REQUEST, message_id, number, clock.ms), FakeContext()).kind


def stored(cloud: Cloud) -> dict[str, Any]:
    """The objects at the URLs in the record, by kind."""
    record = cloud.record("a.b")
    keys = {
        kind: url.removeprefix(f"s3://{cloud.settings.bucket_name}/") for kind, url in (record.extras or {}).items()
    }
    s3, bucket = cloud.clients.s3, cloud.settings.bucket_name
    return {kind: s3.get_object(Bucket=bucket, Key=key) for kind, key in keys.items()}


def audit(cloud: Cloud) -> list[Finding]:
    findings: list[Finding] = []
    Auditor(cloud.clients, cloud.settings).audit(findings.append)
    return findings


def test_the_record_names_the_objects_beside_the_image(cloud: Cloud) -> None:
    # Given / When a page is captured with two extra objects
    assert capture(cloud, 1, FakeClock()) is OutcomeKind.CAPTURED
    # Then each is stored with its content type, and a browser downloads the page source instead of opening it
    found = stored(cloud)
    assert {kind: each["Body"].read() for kind, each in found.items()} == {"thumbnail": b"small 1", "html": b"source 1"}
    assert (found["thumbnail"]["ContentType"], found["html"]["ContentType"]) == (
        "image/webp",
        "text/html; charset=utf-8",
    )
    assert found["html"]["ContentDisposition"] == "attachment"
    # And the audit counts them and finds nothing
    assert len(list(stored_objects(cloud.clients, cloud.settings))) == 3
    assert audit(cloud) == []


def test_objects_of_a_dead_attempt_are_not_mixed_with_the_next(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a worker that dies after storing its extra objects and before storing its image
    write = ImageStore._write

    def die(self: ImageStore, key: str, *arguments: Any) -> bool:
        if key.endswith(".png"):
            raise ServiceUnavailable("the worker is gone")
        return write(self, key, *arguments)

    clock = FakeClock()
    with monkeypatch.context() as patched:
        patched.setattr(ImageStore, "_write", die)
        assert capture(cloud, 1, clock) is OutcomeKind.RETRY
    # When the next worker captures the page
    assert capture(cloud, 2, clock) is OutcomeKind.CAPTURED
    # Then the record names the objects of its own render
    assert {each["Body"].read() for each in stored(cloud).values()} == {b"small 2", b"source 2"}
    # And the others are orphans, which are not a defect
    assert {(each.kind, each.id) for each in audit(cloud)} == {(FindingKind.ORPHANED, "a.b")}


def test_an_adopted_image_keeps_its_extra_objects(cloud: Cloud) -> None:
    # Given a worker that stored everything and died before completing the record
    clock = FakeClock()
    with dying_before_completion():
        capture(cloud, 1, clock)
    # When its lease has ended and the next worker takes the claim over
    clock.advance(LEASE_SECONDS)
    assert capture(cloud, 2, clock) is OutcomeKind.CAPTURED
    # Then the record describes the first render with all its objects
    assert {each["Body"].read() for each in stored(cloud).values()} == {b"small 1", b"source 1"}
    assert audit(cloud) == []


def test_the_audit_reports_a_missing_extra_object(cloud: Cloud) -> None:
    capture(cloud, 1, FakeClock())
    (key,) = [each.key for each in stored_objects(cloud.clients, cloud.settings) if each.key.endswith(".webp")]
    cloud.clients.s3.delete_object(Bucket=cloud.settings.bucket_name, Key=key)
    (finding,) = audit(cloud)
    assert (finding.kind, finding.id, finding.s3_key) == (FindingKind.LOST, "a.b", key)
