"""A separate account in the emulator for each test."""

from __future__ import annotations

import itertools
import os
import random
from dataclasses import dataclass, field
from typing import Any

from stillframe.archive import Archive
from stillframe.clients import Clients
from stillframe.producer import Producer
from stillframe.request.capture_request import CaptureRequest
from stillframe.settings import Settings
from stillframe.table.record import Record
from stillframe.table.table import Table
from stillframe_cli.auditor import Auditor
from stillframe_cli.emulator import Emulator
from stillframe_cli.findings import Finding, FindingKind, Summary
from stillframe_cli.provision import QueuePolicy, provision

_accounts = itertools.count(random.randrange(100_000_000_000, 900_000_000_000))


@dataclass(frozen=True)
class Audited:
    """The summary of an audit, and all its findings."""

    summary: Summary
    findings: list[Finding]

    @property
    def is_clean(self) -> bool:
        return self.summary.is_clean

    def of(self, kind: FindingKind) -> list[Finding]:
        return [finding for finding in self.findings if finding.kind is kind]


@dataclass
class Cloud:
    """Queue, table and bucket of one test, with shortcuts to inspect them."""

    exports: dict[str, str]
    clients: Clients
    settings: Settings
    calls: list[str] = field(default_factory=list)

    @classmethod
    def create(cls, emulator: Emulator, policy: QueuePolicy, **settings: str) -> Cloud:
        # MiniStack uses a 12-digit access key as the account id, so that tests share nothing.
        account = str(next(_accounts))
        exports = {**emulator.exports, "AWS_ACCESS_KEY_ID": account}
        os.environ.update(exports)
        clients = Clients.connect()
        exports |= {**provision(clients, policy, f"stillframe-{account}"), **settings}
        return cls(exports, clients, Settings.from_environment(**exports))

    def send(self, *requests: CaptureRequest) -> list[str]:
        """Send the requests; returns the message ids, in order."""
        return [sent.message_id for sent in Producer(self.clients, self.settings).send(requests)]

    @property
    def table(self) -> Table:
        return Table(self.clients.dynamodb, self.settings.table_name)

    def record(self, screenshot_id: str) -> Record:
        """The record of an id; fails if there is none."""
        record = self.find_record(screenshot_id)
        assert record is not None, f"there is no record of {screenshot_id}"
        return record

    def find_record(self, screenshot_id: str) -> Record | None:
        return Archive(self.clients, self.settings).record(screenshot_id)

    def image(self, screenshot_id: str) -> bytes:
        return Archive(self.clients, self.settings).image(self.record(screenshot_id))

    def receive(self, count: int = 10, queue_url: str | None = None, wait: int = 1) -> list[dict[str, Any]]:
        """Receive once from the queue, or from the given queue."""
        answer = self.clients.sqs.receive_message(
            QueueUrl=queue_url or self.settings.queue_url,
            MaxNumberOfMessages=count,
            WaitTimeSeconds=wait,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))  # type: ignore[arg-type]

    def dead_letters(self) -> list[dict[str, Any]]:
        return self.receive(queue_url=self.settings.dead_letter_queue_url)

    def versions(self) -> list[str]:
        """The key of every object version in the bucket."""
        pages = self.clients.s3.get_paginator("list_object_versions").paginate(Bucket=self.settings.bucket_name)
        return [version["Key"] for page in pages for version in page.get("Versions", [])]

    def audit(self) -> Audited:
        findings: list[Finding] = []
        return Audited(Auditor(self.clients, self.settings).audit(findings.append), findings)

    def count_calls(self) -> list[str]:
        """Start recording: the name of every AWS call from now on is appended to the returned list."""
        for client in (self.clients.sqs, self.clients.dynamodb, self.clients.s3):
            client.meta.events.register("before-call", lambda model, **_: self.calls.append(model.name))
        return self.calls
