"""A loss outside the promise: it can happen, and the audit finds it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from stillframe.clients import Clients
from stillframe.table.record import TENANT_INDEX
from stillframe_cli.auditor import Auditor
from stillframe_cli.findings import Finding, FindingKind

from .aws.bucket import SimulatedBucket
from .aws.queue import SimulatedQueue
from .aws.table import SimulatedTable
from .plan import Plan
from .schedule import SETTINGS, Schedule
from .surroundings import Parts

SEEDS = 5000


class ReadableTable(SimulatedTable):
    """Adds the reads of an audit: scans, and the sparse index of watches, of which there are none."""

    def __init__(self, table: SimulatedTable) -> None:
        super().__init__(table._now_ms)
        self.items = table.items

    def get_paginator(self, _: str) -> ReadableTable:
        return self

    def paginate(self, **arguments: Any) -> Iterator[dict[str, Any]]:
        yield {"Items": [] if arguments.get("IndexName") == TENANT_INDEX else list(self.items.values())}


class ReadableBucket(SimulatedBucket):
    """Adds a listing of the versions."""

    def get_paginator(self, _: str) -> ReadableBucket:
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield {"Versions": [{"Key": key} for key, versions in sorted(self.versions.items()) for _ in versions]}


class ReadableQueues:
    """Gives the number of messages on each queue."""

    def __init__(self, *queues: SimulatedQueue) -> None:
        self._queues = {queue.url: queue for queue in queues}

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        values = dict.fromkeys(AttributeNames, "0")
        if "ApproximateNumberOfMessages" in values:
            values["ApproximateNumberOfMessages"] = str(len(self._queues[QueueUrl].messages))
        return {"Attributes": values}


class FarFuture:
    """A clock at a time when every lease has ended."""

    def now_ms(self) -> int:
        return 2**60


def beyond(seed: int) -> Schedule:
    """A schedule with AWS's own immediate redrive and frequent double deliveries; unsafe deletions are not reported."""
    plan = replace(
        Plan.draw(seed),
        is_marked=False,
        prompt_redrive=True,
        duplicate_probability=0.4,
        max_receive_count=2,
        fresh_probability=0.0,
    )
    schedule = Schedule(plan, Parts())
    schedule.invariants.deleted = lambda queue, message: None  # type: ignore[method-assign]
    return schedule


def test_a_loss_outside_the_promise_is_found_by_the_audit() -> None:
    # Given a schedule outside the promise that loses a message
    for seed in range(SEEDS):
        schedule = beyond(seed)
        if schedule.run().violation is not None:
            break
    else:
        pytest.fail("nothing was lost, so it could be promised")
    # When the account is audited afterwards
    clients: Any = Clients(
        *cast(
            Any,
            (
                ReadableQueues(schedule.queue, cast(SimulatedQueue, schedule.queue.dead_letters)),
                ReadableTable(schedule.table),
                ReadableBucket(schedule.bucket.versions),
            ),
        )
    )
    findings: list[Finding] = []
    Auditor(clients, SETTINGS, clock=FarFuture()).audit(findings.append)
    # Then it names the record
    assert {finding.kind for finding in findings} & {FindingKind.STUCK, FindingKind.LOST}
