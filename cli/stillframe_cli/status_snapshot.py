"""The state of a deployment at one moment: queues, records and metrics as one set of figures."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic.alias_generators import to_camel

from stillframe.archive import MAX_KEYS, Archive
from stillframe.clients import Clients
from stillframe.outcome import OutcomeKind
from stillframe.settings import Settings
from stillframe.table.index_keys import IndexKeys
from stillframe.table.record import Record, Status, index_shards

from .backlog import message_counts
from .compute_metrics import ComputeFigures, ComputeMetrics
from .metrics import ServiceMetrics
from .tenant_usage import TenantUsage

READERS = 8


# Each of a hundred records.
MAX_QUIET_READS = 3


@dataclass(frozen=True, slots=True)
class StatusSnapshot:
    """The figures of one moment, and those of a window, which ends earlier where metrics arrive late.

    `at` is in seconds since the epoch. `workers` are the ids of workers that hold a claim, `idle_workers` the number of
    those that run and hold none. `concurrency` is the highest number of invocations of the function at once. All three
    numbers of workers are None where nothing counts them. `rate_seconds` is the part of the window in which workers
    ran, which the rate covers. `oldest_seconds` is the age of the oldest request that is queued or processing.
    Durations are in seconds or milliseconds, as their names say. `tenants` are those whose captures have cost the most
    this month.
    """

    at: float
    window_seconds: float
    queue_depth: int
    in_flight: int
    delayed: int
    dead_letters: int
    oldest_seconds: int
    queued: int
    processing: int
    workers: list[str]
    captures_per_second: float
    p50_ms: float | None
    p95_ms: float | None
    outcomes: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    retried: dict[str, int] = field(default_factory=dict)
    cost_usd: float = 0.0
    idle_workers: int | None = None
    tasks_running: int | None = None
    tasks_desired: int | None = None
    concurrency: int | None = None
    rate_seconds: float = 0.0
    tenants: list[dict[str, Any]] = field(default_factory=list)

    def to_wire(self) -> dict[str, Any]:
        """Return the figures under their wire names."""
        return {to_camel(name): value for name, value in asdict(self).items()}


@dataclass(slots=True)
class Shard:
    """What is in a shard of the index: records that are processing, the number of those queued, and the oldest one."""

    processing: list[Record] = field(default_factory=list)
    queued: int = 0
    oldest: Record | None = None


class SnapshotReader:
    """Reads snapshots and changes nothing.

    Each takes two SQS calls, 32 small queries with the details of what they have found, and the metrics.
    """

    def __init__(
        self, clients: Clients, settings: Settings, metrics: ServiceMetrics, compute: ComputeMetrics | None = None
    ) -> None:
        self._clients = clients
        self._settings = settings
        self._metrics = metrics
        self._compute = compute
        self._tenants = TenantUsage(clients, settings)
        self._keys = IndexKeys(clients.dynamodb, settings.table_name)
        self._archive = Archive(clients, settings)

    def read(self, window_seconds: float) -> StatusSnapshot:
        """Read the figures of this moment, and the metrics of the latest `window_seconds` that are complete."""
        now = time.time()
        start, end = self._metrics.window(now, window_seconds)
        with ThreadPoolExecutor(READERS) as pool:
            counts = pool.submit(message_counts, self._clients, self._settings.queue_url)
            dead = pool.submit(message_counts, self._clients, self._settings.dead_letter_queue_url)
            tenants = pool.submit(self._tenants.read)
            metrics = pool.submit(self._metrics.read_totals, start, end)
            compute = pool.submit(self._compute.read, start, end) if self._compute is not None else None
            shards = list(pool.map(self._read_shard, index_shards(Status.QUEUED)))
            processing = [record for shard in shards for record in shard.processing]
        depth, in_flight, delayed = counts.result()
        totals = metrics.result()
        counted = compute.result() if compute is not None else ComputeFigures()
        # Before the first worker ran, nothing could be captured.
        rate_seconds = max(1.0, end - max(start, counted.first_seen or start))
        unfinished = [record for record in (*(shard.oldest for shard in shards), *processing) if record is not None]
        started = [record.queued_at or record.claimed_at or record.updated_at for record in unfinished]
        oldest_ms = min((each for each in started if each), default=now * 1000)
        workers = sorted({record.worker_id for record in processing if record.worker_id})
        return StatusSnapshot(
            at=round(now, 3),
            window_seconds=end - start,
            queue_depth=depth,
            in_flight=in_flight,
            delayed=delayed,
            dead_letters=sum(dead.result()),
            oldest_seconds=max(0, round(now - oldest_ms / 1000)),
            queued=sum(shard.queued for shard in shards),
            processing=len(processing),
            workers=workers,
            captures_per_second=round(totals.outcomes.get(OutcomeKind.CAPTURED.value, 0) / rate_seconds, 2),
            p50_ms=totals.p50_ms,
            p95_ms=totals.p95_ms,
            outcomes=dict(totals.outcomes),
            skipped=totals.by_reason(OutcomeKind.SKIPPED),
            failed=totals.by_reason(OutcomeKind.FAILED),
            retried=totals.by_reason(OutcomeKind.RETRY),
            cost_usd=round(totals.usd, 6),
            idle_workers=None if counted.running is None else max(0, counted.running - len(workers)),
            tasks_running=counted.running,
            tasks_desired=counted.desired,
            concurrency=counted.concurrency,
            rate_seconds=round(rate_seconds, 1),
            tenants=[usage.to_wire() for usage in tenants.result()],
        )

    def _read_shard(self, name: str) -> Shard:
        """Read one page of a shard's keys, and the details of the oldest, until some hundreds are not processing.

        Messages are received in about the order in which they were sent, so that those behind are waiting. The oldest
        of all may be records whose messages are gone.
        """
        ids, _ = self._keys.page(name)
        shard = Shard()
        quiet = 0
        for start in range(0, len(ids), MAX_KEYS):
            found = self._archive.records_by_id(ids[start : start + MAX_KEYS])
            processing = [record for record in found.values() if record.status is Status.PROCESSING]
            queued = [record for record in found.values() if record.status is Status.QUEUED]
            shard.processing += processing
            shard.queued += len(queued)
            shard.oldest = shard.oldest or min(queued, key=_queued_at, default=None)
            quiet = 0 if processing else quiet + 1
            if quiet == MAX_QUIET_READS:
                shard.queued += len(ids[start + MAX_KEYS :])
                break
        return shard


def _queued_at(record: Record) -> int:
    return record.queued_at or record.updated_at or 0
