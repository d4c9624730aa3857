"""The result of a load test and its figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stillframe.table.record import Record, Status
from stillframe_cli.capacity.prices import service_usd

PERCENTILES = {"p10": 0.10, "p50": 0.50, "p95": 0.95, "p99": 0.99, "max": 1.0}


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What was sent and how it ended.

    `started_at` and `sent_at` (all messages sent) are in seconds since the epoch. `skipped` is counted by reason, or
    under `unknown` when the workers' metrics do not have the reasons. `machine_cpu_seconds` is the CPU time of the
    whole machine, and None when the services run elsewhere.
    """

    messages: int
    senders: int
    started_at: float
    sent_at: float
    records: Sequence[Record]
    skipped: Mapping[str, int]
    left_on_queue: int
    dead_letters: int
    machine_cpu_seconds: float | None = None

    @property
    def captured(self) -> list[Record]:
        return [record for record in self.records if record.status is Status.SUCCESS]

    @property
    def failed(self) -> list[Record]:
        return [record for record in self.records if record.status is Status.FAILED]

    @property
    def finished(self) -> int:
        """Messages that were captured, failed or skipped."""
        return len(self.captured) + len(self.failed) + sum(self.skipped.values())

    @property
    def is_clean(self) -> bool:
        """Whether every message was captured or skipped."""
        return not self.failed and not self.left_on_queue and not self.dead_letters and self.finished == self.messages

    @property
    def seconds(self) -> float:
        """Seconds from the first message to the last stored image."""
        last = max((record.updated_at or 0 for record in self.records), default=0) / 1000
        return max(0.001, last - self.started_at)

    @property
    def _machine_cpu_ms(self) -> int | None:
        if self.machine_cpu_seconds is None or not self.captured:
            return None
        return round(self.machine_cpu_seconds / len(self.captured) * 1000)

    def to_wire(self) -> dict[str, Any]:
        """Return the figures under their wire names. Durations are in milliseconds unless the name says seconds."""
        captured, compute = self.captured, _total_usd(self.captured)
        services = service_usd(len(captured))
        latencies = [(r.updated_at or 0) - r.queued_at for r in captured if r.queued_at]
        return {
            "messages": self.messages,
            "senders": self.senders,
            "captured": len(captured),
            "skipped": sum(self.skipped.values()),
            "failed": len(self.failed),
            "unfinished": self.messages - self.finished,
            "leftOnQueue": self.left_on_queue,
            "deadLetters": self.dead_letters,
            "seconds": round(self.seconds, 2),
            "sendSeconds": round(self.sent_at - self.started_at, 2),
            "sentPerSecond": round(self.messages / max(0.001, self.sent_at - self.started_at), 1),
            "capturesPerSecond": round(len(captured) / self.seconds, 2),
            "latencyMs": percentiles(latencies),
            "durationMs": percentiles([r.duration_ms for r in captured if r.duration_ms is not None]),
            "cpuMs": round(_mean(r.cpu_ms for r in captured)),
            "billedMs": round(_mean(r.billed_ms for r in captured)),
            "machineCpuMs": self._machine_cpu_ms,
            "bytes": round(_mean(r.bytes for r in captured)),
            "outcomes": {
                "captured": len(captured),
                "skipped": dict(self.skipped),
                "failed": dict(Counter(r.error_code or "none" for r in self.failed)),
            },
            "workers": dict(Counter(r.worker_id or "unknown" for r in captured)),
            "estimatedUsd": {name: round(usd + services, 8) for name, usd in compute.items()},
            "usdPerThousand": {
                name: round((usd + services) / len(captured) * 1000, 5) for name, usd in compute.items() if captured
            },
        }


def percentiles(values: Sequence[int]) -> dict[str, int]:
    """Return percentiles by nearest rank; empty when there are no values."""
    ordered = sorted(values)
    return {
        name: ordered[min(len(ordered) - 1, int(len(ordered) * share))]
        for name, share in PERCENTILES.items()
        if ordered
    }


def _mean(values: Iterable[int | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else 0.0


def _total_usd(records: Iterable[Record]) -> dict[str, float]:
    total: Counter[str] = Counter()
    for record in records:
        total.update(record.estimated_usd or {})
    return {name: float(usd) for name, usd in total.items()}
