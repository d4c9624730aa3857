"""How the service does at this moment: queue, records and metrics, as one set of figures."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic.alias_generators import to_camel

from stillframe.clients import Clients
from stillframe.outcome import OutcomeKind
from stillframe.settings import Settings
from stillframe.table.record import INDEX_NAME, Record, Status, index_shards, to_attributes

from .backlog import message_counts
from .metrics import ServiceMetrics

READERS = 8


@dataclass(frozen=True, slots=True)
class StatusSnapshot:
    """Figures of one moment, and of the window before it.

    `workers` are those that hold a claim at the moment; `oldest_seconds` is the age of the oldest request that has not
    ended. Times are seconds and milliseconds as the names say, money USD.
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

    def to_wire(self) -> dict[str, Any]:
        """Wire names."""
        return {to_camel(name): value for name, value in asdict(self).items()}


class SnapshotReader:
    """Takes them. Changes nothing; costs two calls of SQS, 32 small queries and the metrics."""

    def __init__(self, clients: Clients, settings: Settings, metrics: ServiceMetrics) -> None:
        self._clients = clients
        self._settings = settings
        self._metrics = metrics

    def take(self, window_seconds: float) -> StatusSnapshot:
        """The vitals of this moment, with what was counted in so many seconds before it."""
        now = time.time()
        with ThreadPoolExecutor(READERS) as pool:
            counts = pool.submit(message_counts, self._clients, self._settings.queue_url)
            dead = pool.submit(message_counts, self._clients, self._settings.dead_letter_queue_url)
            counting = pool.submit(self._metrics.counted, now - window_seconds, now)
            queued = list(pool.map(self._oldest, index_shards(Status.QUEUED)))
            processing = [each for shard in pool.map(self._all, index_shards(Status.PROCESSING)) for each in shard]
        depth, in_flight, delayed = counts.result()
        counted = counting.result()
        waiting = [record for record in (*(oldest for oldest, _ in queued), *processing) if record is not None]
        begun = [record.queued_at or record.claimed_at or record.updated_at for record in waiting]
        oldest_ms = min((each for each in begun if each), default=now * 1000)
        return StatusSnapshot(
            at=round(now, 3),
            window_seconds=window_seconds,
            queue_depth=depth,
            in_flight=in_flight,
            delayed=delayed,
            dead_letters=sum(dead.result()),
            oldest_seconds=max(0, round(now - oldest_ms / 1000)),
            queued=sum(count for _, count in queued),
            processing=len(processing),
            workers=sorted({record.worker_id for record in processing if record.worker_id}),
            captures_per_second=round(counted.outcomes.get(OutcomeKind.CAPTURED.value, 0) / window_seconds, 2),
            p50_ms=counted.p50_ms,
            p95_ms=counted.p95_ms,
            outcomes=dict(counted.outcomes),
            skipped=counted.by_reason(OutcomeKind.SKIPPED),
            failed=counted.by_reason(OutcomeKind.FAILED),
            retried=counted.by_reason(OutcomeKind.RETRY),
            cost_usd=round(counted.usd, 6),
        )

    def _oldest(self, shard: str) -> tuple[Record | None, int]:
        """The record of a shard that has not changed for longest, and how many it has: one page at most."""
        answer = self._clients.dynamodb.query(**self._query(shard))
        items = answer["Items"]
        return (Record.from_item(items[0]) if items else None), len(items)

    def _all(self, shard: str) -> list[Record]:
        return [Record.from_item(item) for item in self._clients.dynamodb.query(**self._query(shard))["Items"]]

    def _query(self, shard: str) -> dict[str, Any]:
        return {
            "TableName": self._settings.table_name,
            "IndexName": INDEX_NAME,
            "KeyConditionExpression": "indexShard = :shard",
            "ExpressionAttributeValues": to_attributes({":shard": shard}),
            "ProjectionExpression": "id, #status, workerId, queuedAt, claimedAt, updatedAt",
            "ExpressionAttributeNames": {"#status": "status"},
        }
