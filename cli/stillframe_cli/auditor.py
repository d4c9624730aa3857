"""The audit: checks that the records, the objects in the bucket and the messages on the queues agree.

It reads page by page in constant memory. It reads each suspect a second time before it reports it, so that it can run
while workers capture.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError

from stillframe.archive import Archive
from stillframe.clients import Clients
from stillframe.clock import Clock, SystemClock
from stillframe.image.ownership import PAYLOAD_HASH, SHA256
from stillframe.image.shot import MANIFEST_FILE
from stillframe.image.store import checksum_of
from stillframe.settings import Settings
from stillframe.table.record import Record, Status, id_digest
from stillframe.watches.history import History
from stillframe.watches.store import WatchStore
from stillframe.watches.watch import period_text

from .backlog import Backlog
from .bucket_listing import StoredObject, stored_objects
from .findings import Finding, FindingKind, Summary

READERS = 16
STUCK_AFTER_SECONDS = 3600
ORPHANED_IMAGE = "wait: when its own request is delivered again, the object is adopted; if it stays, delete it"
ORPHANED_EXTRA = "nothing to do: it is left over from an attempt that was interrupted, and expires by itself"
MISSED_PERIOD = "nothing to do: the page of that time is gone; was the scheduler off, or its role changed?"
# How far back periods of watches are looked for.
WATCHED_MS = 7 * 24 * 3600 * 1000
# BatchGetItem takes at most 100 keys.
CHUNK = 100

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

Item = TypeVar("Item")
Report = Callable[[Finding], None]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """How thorough an audit is.

    `share` (0 to 1) is the share of ids whose object is compared with its record. `stuck_after_seconds` is how long
    after the end of its lease a record counts as stuck while messages are waiting.
    """

    share: float = 1.0
    stuck_after_seconds: int = STUCK_AFTER_SECONDS

    def includes(self, screenshot_id: str) -> bool:
        """Whether an id is in the sample. Its hash decides, so that table and bucket are sampled alike."""
        return int(id_digest(screenshot_id)[:8], 16) < self.share * 2**32


class Auditor:
    """Runs an audit. Changes nothing."""

    def __init__(
        self, clients: Clients, settings: Settings, plan: AuditPlan | None = None, clock: Clock | None = None
    ) -> None:
        self._clients = clients
        self._settings = settings
        self._plan = plan or AuditPlan()
        self._clock = clock or SystemClock()
        self._archive = Archive(clients, settings)
        self._lock = threading.Lock()

    def audit(self, report: Report, progress: Progress = lambda _: None) -> Summary:
        """Run the audit and report each finding at once. Raises ClientError or BotoCoreError when AWS fails."""
        summary = Summary()
        self._backlog = Backlog(self._clients, self._settings)
        with ThreadPoolExecutor(READERS) as pool:
            for objects in _chunks(stored_objects(self._clients, self._settings)):
                summary.objects += len(objects)
                self._report(self._check_objects(objects), summary, report)
                progress(f"{summary.objects} objects")
            for records in _chunks(self._archive.all_records()):
                summary.records += len(records)
                summary.checked += sum(self._is_compared(record) for record in records)
                self._report(filter(None, pool.map(self._check_record, records)), summary, report)
                progress(f"{summary.objects} objects, {summary.records} records")
        self._report(self._missed_periods(), summary, report)
        self._backlog.refresh()
        summary.pending_messages, summary.dead_letters = self._backlog.pending, self._backlog.dead_letters
        return summary

    def _report(self, findings: Iterable[Finding], summary: Summary, report: Report) -> None:
        for finding in findings:
            summary.found[finding.kind] += 1
            report(finding)

    def _missed_periods(self) -> Iterator[Finding]:
        now_ms = self._clock.now_ms()
        for watch in WatchStore(self._clients, self._settings).list():
            for period in History(self._archive).missed(watch, now_ms - WATCHED_MS, now_ms):
                problem = f"nobody sent the period {period_text(period.at_ms)} of {period.url}"
                yield Finding(FindingKind.MISSED, problem, MISSED_PERIOD, period.id)

    def _check_objects(self, objects: list[StoredObject]) -> Iterator[Finding]:
        sampled = [each for each in objects if self._plan.includes(each.id)]
        records = self._archive.records_by_id([each.id for each in sampled])
        for each in objects:
            if each.versions > 1:
                problem = f"{each.versions} versions of one key"
                advice = "compare them with the record's sha256; something other than Stillframe wrote to this key"
                yield Finding(FindingKind.STORED_TWICE, problem, advice, each.id, each.key)
        for each in sampled:
            if not self._accounts_for(records.get(each.id), each) and not self._accounts_for(
                self._archive.record(each.id), each
            ):
                advice = ORPHANED_EXTRA if each.is_extra else ORPHANED_IMAGE
                yield Finding(FindingKind.ORPHANED, "no finished record refers to it", advice, each.id, each.key)

    def _accounts_for(self, record: Record | None, stored: StoredObject) -> bool:
        """Whether a record names the object, or its capture is running and will name it."""
        if record is None:
            return False
        is_running = record.status is Status.PROCESSING and (record.lease_expires_at or 0) >= self._clock.now_ms()
        return is_running or (
            record.status is Status.SUCCESS and stored.key in (record.s3_key, *self._extra_keys(record))
        )

    def _check_record(self, record: Record) -> Finding | None:
        """Check a record, and a second time if there is a problem: record, object or queue may just have changed."""
        if self._find_problem(record) is None:
            return None
        with self._lock:
            self._backlog.refresh()
        again = self._archive.record(record.id)
        return self._find_problem(again) if again is not None else None

    def _find_problem(self, record: Record) -> Finding | None:
        if record.status is Status.SUCCESS:
            # An expired record is deleted within days (DynamoDB, "Time to Live"); its object may be gone already.
            is_expired = (record.expires_at or 0) * 1000 < self._clock.now_ms()
            return self._check_image(record) if self._is_compared(record) and not is_expired else None
        if record.status is Status.PROCESSING:
            return self._check_lease(record)
        if record.status is Status.QUEUED:
            return self._check_message(record)
        return None

    def _is_compared(self, record: Record) -> bool:
        return record.status is Status.SUCCESS and self._plan.includes(record.id)

    def _check_image(self, record: Record) -> Finding | None:
        key = record.s3_key or ""
        head = self._head(key)
        if head is None:
            advice = "restore a version of it from the bucket, or send the request with a new id"
            return Finding(FindingKind.LOST, "its object is missing", advice, record.id, key)
        expected = (record.sha256, record.bytes, checksum_of(record.sha256 or ""))
        checksum = head.get("ChecksumSHA256", expected[2])
        metadata = head["Metadata"]
        if metadata.get(PAYLOAD_HASH, record.payload_hash) != record.payload_hash:
            advice = "send the request with a new id; the object belongs to an earlier request with this id"
            return Finding(FindingKind.LOST, "its object is of another request", advice, record.id, key)
        if (metadata.get(SHA256), head["ContentLength"], checksum) == expected:
            return self._check_extras(record)
        advice = "restore the version with the record's sha256; something other than Stillframe wrote to this key"
        return Finding(FindingKind.LOST, "its object differs from the record", advice, record.id, key)

    def _check_extras(self, record: Record) -> Finding | None:
        shots = {self._key_of(shot.s3_url) for shot in record.shots or ()}
        for key in self._extra_keys(record):
            if key not in shots and self._head(key) is None:
                advice = "restore a version of it from the bucket; the image itself exists"
                return Finding(FindingKind.LOST, "an extra object is missing", advice, record.id, key)
        return self._check_shots(record)

    def _check_shots(self, record: Record) -> Finding | None:
        for shot in record.shots or ():
            key = self._key_of(shot.s3_url)
            head = self._head(key)
            checksum = checksum_of(shot.sha256)
            if head is None or (head["ContentLength"], head.get("ChecksumSHA256", checksum)) != (shot.bytes, checksum):
                problem = f"the shot {shot.name} is missing" if head is None else f"the shot {shot.name} differs"
                advice = "restore the version with the sha256 in the record's `shots`"
                return Finding(FindingKind.LOST, problem, advice, record.id, key)
        return None

    def _extra_keys(self, record: Record) -> list[str]:
        """The keys of everything beside the image. Beside the shots is their manifest."""
        shots = [shot.s3_url for shot in record.shots or ()]
        manifest = [f"{shots[0].rpartition('/')[0]}/{MANIFEST_FILE}"] if shots else []
        return [self._key_of(url) for url in (*(record.extras or {}).values(), *shots, *manifest)]

    def _key_of(self, url: str) -> str:
        return url.removeprefix(f"s3://{self._settings.bucket_name}/")

    def _head(self, key: str) -> HeadObjectOutputTypeDef | None:
        try:
            return self._clients.s3.head_object(Bucket=self._settings.bucket_name, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
            return None

    def _check_lease(self, record: Record) -> Finding | None:
        over_ms = self._clock.now_ms() - (record.lease_expires_at or 0)
        if over_ms <= 0 or (self._backlog.pending and over_ms <= self._plan.stuck_after_seconds * 1000):
            # Its message may still be on the queue, and then another worker takes over.
            return None
        advice = "stillframe redrive" if self._backlog.dead_letters else f"stillframe retry {record.id}"
        return Finding(FindingKind.STUCK, "its lease has ended, and no worker took over", advice, record.id)

    def _check_message(self, record: Record) -> Finding | None:
        age_seconds = (self._clock.now_ms() - (record.updated_at or 0)) / 1000
        if age_seconds <= self._backlog.retention_seconds and (self._backlog.pending or self._backlog.dead_letters):
            return None
        advice = f"stillframe retry {record.id}"
        return Finding(FindingKind.LOST, "queued, but no message is left", advice, record.id)


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, CHUNK)):
        yield chunk
