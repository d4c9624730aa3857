"""The audit: does what the table says agree with what the bucket holds and the queues still have?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from stillframe.clients import Clients
from stillframe.clock import Clock, SystemClock
from stillframe.record import Record, Status
from stillframe.settings import Settings

from .archive import Archive
from .backlog import message_counts

READERS = 8

Progress = Callable[[str], None]


@dataclass(slots=True)
class Findings:
    """What the audit saw. `lost`, `stored_twice` and `stuck` are defects, `orphaned` is work under way or leftovers."""

    records: int = 0
    objects: int = 0
    pending_messages: int = 0
    dead_letters: int = 0
    lost: list[dict[str, Any]] = field(default_factory=list)
    stored_twice: list[dict[str, Any]] = field(default_factory=list)
    stuck: list[dict[str, Any]] = field(default_factory=list)
    orphaned: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.stored_twice or self.stuck)

    def summary(self) -> dict[str, int]:
        """The last line of `audit --json`."""
        return {
            "records": self.records,
            "objects": self.objects,
            "lost": len(self.lost),
            "storedTwice": len(self.stored_twice),
            "stuck": len(self.stuck),
            "orphaned": len(self.orphaned),
            "pendingMessages": self.pending_messages,
            "deadLetters": self.dead_letters,
        }


class Auditor:
    """Reads everything, changes nothing."""

    def __init__(self, clients: Clients, settings: Settings, clock: Clock | None = None) -> None:
        self._clients = clients
        self._settings = settings
        self._clock = clock or SystemClock()

    def run(self, progress: Progress = lambda _: None) -> Findings:
        """Compare records, objects and queues. Run it when producers rest: it is no snapshot."""
        findings = Findings()
        findings.pending_messages = sum(message_counts(self._clients, self._settings.queue_url))
        findings.dead_letters = sum(message_counts(self._clients, self._settings.dead_letter_queue_url))
        versions = self._versions(findings, progress)
        expected: set[str] = set()
        with ThreadPoolExecutor(READERS) as pool:
            records = Archive(self._clients, self._settings).all_records()
            for record, problem in pool.map(lambda each: (each, self._problem_of(each, versions, findings)), records):
                findings.records += 1
                if record.status is Status.SUCCESS and record.s3_key:
                    expected.add(record.s3_key)
                if problem:
                    (findings.stuck if problem == "lease is over" else findings.lost).append(_finding(record, problem))
                if findings.records % 1000 == 0:
                    progress(f"{findings.records} records")
        findings.orphaned = [{"s3Key": key} for key in versions if key not in expected]
        return findings

    def _versions(self, findings: Findings, progress: Progress) -> dict[str, int]:
        """Number of versions of each key under the prefix."""
        versions: dict[str, int] = {}
        for page_number, page in enumerate(self._version_pages(), 1):
            for version in page.get("Versions", []):
                versions[version["Key"]] = versions.get(version["Key"], 0) + 1
            progress(f"{len(versions)} objects, {page_number} pages")
        findings.objects = len(versions)
        findings.stored_twice = [
            {"s3Key": key, "versions": count} for key, count in sorted(versions.items()) if count > 1
        ]
        return versions

    def _version_pages(self) -> Iterator[Any]:
        paginator = self._clients.s3.get_paginator("list_object_versions")
        yield from paginator.paginate(Bucket=self._settings.bucket_name, Prefix=f"{self._settings.key_prefix}/")

    def _problem_of(self, record: Record, versions: dict[str, int], findings: Findings) -> str | None:
        if record.status is Status.SUCCESS:
            return self._object_problem(record, versions)
        if record.status is Status.PROCESSING and (record.lease_expires_at or 0) < self._clock.now_ms():
            # With its message still on the queue it will be taken over; without, nobody ever will.
            return None if findings.pending_messages else "lease is over"
        if record.status is Status.QUEUED and not (findings.pending_messages or findings.dead_letters):
            return "queued, but no message is left"
        return None

    def _object_problem(self, record: Record, versions: dict[str, int]) -> str | None:
        if (record.s3_key or "") not in versions:
            return "object is gone"
        try:
            head = self._clients.s3.head_object(Bucket=self._settings.bucket_name, Key=record.s3_key or "")
        except ClientError as error:
            return f"object is not readable: {error.response['Error']['Code']}"
        if head["Metadata"].get("sha256") != record.sha256 or head["ContentLength"] != record.bytes:
            return "object differs from its record"
        return None


def _finding(record: Record, problem: str) -> dict[str, Any]:
    return {"id": record.id, "status": record.status.value, "problem": problem, "s3Key": record.s3_key}
