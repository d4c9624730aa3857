"""The audit of real records and objects: what it finds, that it has no false findings, and how much it reads."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from typing import Any

import pytest

from stillframe.errors import UnknownHost
from stillframe.request.capture_request import CaptureRequest
from stillframe.table.attributes import to_attributes
from stillframe.table.record import Record
from stillframe_cli.auditor import Auditor, AuditPlan
from stillframe_cli.findings import Finding, FindingKind
from tests.conftest import MakeCloud
from tests.support.cloud import Cloud
from tests.support.fakes import FakeClock, FakeContext, FakeRenderer, capture_with, message
from tests.support.workers import ROOT, environment


def capture(cloud: Cloud, *names: str) -> None:
    worker = capture_with(cloud.clients, cloud.settings, FakeRenderer(), FakeClock())
    for name in names:
        request = CaptureRequest(url="https://example.com/", request_id=name)
        worker.process(message(request, f"message-of-{name}"), FakeContext())


def change(cloud: Cloud, name: str, **values: Any) -> None:
    """Set attributes of a record directly in the table."""
    arguments: Any = {
        "UpdateExpression": "SET " + ", ".join(f"#{key} = :{key}" for key in values),
        "ExpressionAttributeNames": {f"#{key}": key for key in values},
        "ExpressionAttributeValues": to_attributes({f":{key}": value for key, value in values.items()}),
    }
    key = to_attributes({"id": name})
    cloud.clients.dynamodb.update_item(TableName=cloud.settings.table_name, Key=key, **arguments)


def key_of(cloud: Cloud, name: str) -> str:
    record = cloud.record(name)
    return record.s3_key or ""


def run_audit(cloud: Cloud, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stillframe_cli", "audit", *arguments],
        cwd=ROOT,
        env=environment(cloud.exports),
        capture_output=True,
        text=True,
        check=False,
    )


def break_everything(cloud: Cloud) -> None:
    """Create one of each defect, and one record without a defect."""
    capture(cloud, "fine", "gone", "removed", "twice", "other", "damaged", "foreign", "stuck", "forgotten")
    bucket, s3 = cloud.settings.bucket_name, cloud.clients.s3
    (version,) = s3.list_object_versions(Bucket=bucket, Prefix=key_of(cloud, "gone"))["Versions"]
    s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_object(Bucket=bucket, Key=key_of(cloud, "removed"))
    metadata = s3.head_object(Bucket=bucket, Key=key_of(cloud, "twice"))["Metadata"]
    s3.put_object(Bucket=bucket, Key=key_of(cloud, "twice"), Body=cloud.image("twice"), Metadata=metadata)
    change(cloud, "other", sha256="0" * 64)
    change(cloud, "damaged", bytes=1)
    change(cloud, "foreign", payloadHash="0" * 64)
    change(cloud, "stuck", status="processing", leaseExpiresAt=1)
    change(cloud, "forgotten", status="queued")
    s3.put_object(Bucket=bucket, Key=f"{cloud.settings.key_prefix}/ff/nobody.png", Body=b"an image")


DEFECTS = {
    ("lost", "gone", "its object is missing"),
    ("lost", "removed", "its object is missing"),
    ("lost", "other", "its object differs from the record"),
    ("lost", "damaged", "its object differs from the record"),
    ("lost", "foreign", "its object is of another request"),
    ("lost", "forgotten", "queued, but no message is left"),
    ("storedTwice", "twice", "2 versions of one key"),
    ("stuck", "stuck", "its lease has ended, and no worker took over"),
    ("orphaned", "nobody", "no finished record refers to it"),
    ("orphaned", "stuck", "no finished record refers to it"),
    ("orphaned", "forgotten", "no finished record refers to it"),
}


def test_it_reports_every_defect_and_what_to_do(cloud: Cloud) -> None:
    # Given an account with one of each defect
    break_everything(cloud)
    # When it is audited with --json
    run = run_audit(cloud, "--json")
    # Then each defect is a line with kind, problem and advice, and the exit status is 1
    *findings, summary = [json.loads(line) for line in run.stdout.splitlines()]
    assert {(each["finding"], each["id"], each["problem"]) for each in findings} == DEFECTS
    assert all(each["advice"] for each in findings)
    expected = {"records": 9, "objects": 9, "lost": 6, "storedTwice": 1, "stuck": 1, "orphaned": 3, "checked": 7}
    assert summary.items() >= expected.items()
    assert run.returncode == 1
    # And without --json the output names them as well
    plain = run_audit(cloud)
    assert plain.returncode == 1
    assert "stuck        stuck: its lease has ended, and no worker took over (stillframe retry stuck)" in plain.stdout


def test_it_reports_nothing_in_a_clean_account(cloud: Cloud) -> None:
    # Given captures, a failure, and a waiting message
    capture(cloud, "one", "two")

    def refuse() -> None:
        raise UnknownHost("no such host")

    request = CaptureRequest(url="https://nowhere.example/", request_id="failed")
    capture_with(cloud.clients, cloud.settings, FakeRenderer(refuse), FakeClock()).process(
        message(request), FakeContext()
    )
    cloud.send(CaptureRequest(url="https://example.com/", request_id="waiting"))
    # When it is audited, then nothing is found
    run = run_audit(cloud, "--json")
    (summary,) = [json.loads(line) for line in run.stdout.splitlines()]
    assert summary == {
        "records": 4,
        "objects": 2,
        "lost": 0,
        "storedTwice": 0,
        "stuck": 0,
        "orphaned": 0,
        "missed": 0,
        "checked": 2,
        "pendingMessages": 1,
        "deadLetters": 0,
    }
    assert run.returncode == 0


def test_a_capture_in_progress_is_not_a_finding(cloud: Cloud) -> None:
    # Given a capture in progress whose object is stored and whose record is not completed yet
    clock = FakeClock()
    seen = []

    def audit_meanwhile() -> None:
        cloud.clients.s3.put_object(
            Bucket=cloud.settings.bucket_name, Key=f"{cloud.settings.key_prefix}/aa/busy.png", Body=b"an image"
        )
        # When the account is audited
        seen.append(Auditor(cloud.clients, cloud.settings, clock=clock).audit(findings.append))

    findings: list[Finding] = []
    request = CaptureRequest(url="https://example.com/", request_id="busy")
    capture_with(cloud.clients, cloud.settings, FakeRenderer(audit_meanwhile), clock).process(
        message(request), FakeContext()
    )
    # Then neither the record nor the object is a finding
    assert findings == []
    assert (seen[0].records, seen[0].objects) == (1, 1)


@pytest.mark.parametrize(("ended_seconds_ago", "is_stuck"), [(3599, False), (3601, True)])
def test_a_lease_may_have_ended_up_to_an_hour_ago_while_messages_wait(
    cloud: Cloud, clock: FakeClock, ended_seconds_ago: int, is_stuck: bool
) -> None:
    # Given a record whose lease has ended, and a message on the queue that may be its own
    capture(cloud, "busy")
    change(cloud, "busy", status="processing", leaseExpiresAt=clock.ms - ended_seconds_ago * 1000)
    cloud.send(CaptureRequest(url="https://example.com/", request_id="another"))
    # When it is audited
    findings: list[Finding] = []
    Auditor(cloud.clients, cloud.settings, clock=clock).audit(findings.append)
    # Then the record counts as stuck after an hour
    assert (FindingKind.STUCK in {finding.kind for finding in findings}) == is_stuck


def test_a_record_that_changes_during_the_audit_is_checked_again(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a record that was processing when the table was read, and has become a success since
    capture(cloud, "busy")
    current = cloud.record("busy")
    stale = Record.model_validate({**current.to_wire(), "status": "processing", "leaseExpiresAt": 1})
    auditor = Auditor(cloud.clients, cloud.settings)
    monkeypatch.setattr(auditor._archive, "all_records", lambda: iter([stale]))
    # When it is audited, then nothing is found
    findings: list[Finding] = []
    assert auditor.audit(findings.append).is_clean
    assert findings == []


@pytest.mark.parametrize(("seconds_to_live", "lost"), [(0, 1), (-1, 0)])
def test_an_expired_record_may_have_lost_its_object(
    cloud: Cloud, clock: FakeClock, seconds_to_live: int, lost: int
) -> None:
    # Given a record that the table has not deleted yet, and whose object is gone
    capture(cloud, "old")
    cloud.clients.s3.delete_object(Bucket=cloud.settings.bucket_name, Key=key_of(cloud, "old"))
    change(cloud, "old", expiresAt=clock.ms // 1000 + seconds_to_live)
    # When it is audited, then it is a finding only if it has not expired
    summary = Auditor(cloud.clients, cloud.settings, clock=clock).audit(lambda _: None)
    assert summary.found[FindingKind.LOST] == lost


def test_a_sample_compares_a_share_of_the_objects_and_everything_else(make_cloud: MakeCloud) -> None:
    # Given an account with defects
    cloud = make_cloud()
    break_everything(cloud)
    heads = cloud.count_calls()
    # When half of it is sampled
    findings: list[Finding] = []
    plan = AuditPlan(share=0.5)
    summary = Auditor(cloud.clients, cloud.settings, plan).audit(findings.append)
    # Then only the sampled objects are read, but all versions, leases and messages are checked
    chosen = {(kind, name, problem) for kind, name, problem in DEFECTS if plan.includes(name)}
    always = {each for each in DEFECTS if each[0] in ("storedTwice", "stuck") or "message" in each[2]}
    assert {(each.kind.value, each.id, each.problem) for each in findings} == chosen | always
    assert 0 < summary.checked < 7
    # One read for each object, and a second one if it differs.
    assert heads.count("HeadObject") <= 2 * summary.checked


def test_foreign_objects_are_reported_as_orphans(cloud: Cloud) -> None:
    # Given keys under the prefix that no capture makes: without a name, without an extension, two for one id
    prefix = cloud.settings.key_prefix
    keys = [
        f"{prefix}/ff/",
        f"{prefix}/ff/README",
        f"{prefix}/ff/.png",
        f"{prefix}/ff/two.jpeg",
        f"{prefix}/ff/two.png",
    ]
    for key in keys:
        cloud.clients.s3.put_object(Bucket=cloud.settings.bucket_name, Key=key, Body=b"x")
    # When the account is audited, then each of them is named
    audited = cloud.audit()
    assert {finding.s3_key for finding in audited.of(FindingKind.ORPHANED)} == set(keys)
    assert audited.is_clean


def test_it_reports_its_progress(cloud: Cloud) -> None:
    # Given captures
    capture(cloud, "one", "two", "three")
    progress: list[str] = []
    # When they are audited, then the progress is reported
    Auditor(cloud.clients, cloud.settings).audit(lambda _: None, progress.append)
    assert progress == ["3 objects", "3 objects, 3 records"]


def test_its_memory_does_not_grow_with_the_account(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a table that returns any number of copies of a record
    capture(cloud, "one")
    record = cloud.record("one")
    auditor = Auditor(cloud.clients, cloud.settings, AuditPlan(share=1e-9))

    def peak(records: int) -> int:
        copies = (Record.model_validate(record.to_wire()) for _ in range(records))
        monkeypatch.setattr(auditor._archive, "all_records", lambda: copies)
        tracemalloc.start()
        assert auditor.audit(lambda _: None).records == records
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak_bytes

    # When a thousand and ten thousand records are audited
    peak(200)
    small, large = peak(1_000), peak(10_000)
    # Then the memory does not grow with their number
    assert large < small * 1.5
