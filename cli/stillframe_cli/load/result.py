"""The figures of a load test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stillframe.table.record import Record, Status
from stillframe_cli.capacity.prices import service_usd

SHARES = {"p10": 0.10, "p50": 0.50, "p95": 0.95, "p99": 0.99, "max": 1.0}


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What was sent and what became of it. `began` and `sent_by` are seconds since the epoch.

    `skipped` is by reason where the workers' metrics have them, else under `unknown`.
    """

    messages: int
    senders: int
    began: float
    sent_by: float
    records: Sequence[Record]
    skipped: Mapping[str, int]
    left_on_queue: int
    dead_letters: int
    # Of the whole machine, where the services are on it; None elsewhere.
    machine_cpu_seconds: float | None = None

    @property
    def captured(self) -> list[Record]:
        return [record for record in self.records if record.status is Status.SUCCESS]

    @property
    def failed(self) -> list[Record]:
        return [record for record in self.records if record.status is Status.FAILED]

    @property
    def ended(self) -> int:
        """Messages that have their end: a picture, a failure, or a skip."""
        return len(self.captured) + len(self.failed) + sum(self.skipped.values())

    @property
    def is_clean(self) -> bool:
        """Whether every message has come to a picture or a skip."""
        return not self.failed and not self.left_on_queue and not self.dead_letters and self.ended == self.messages

    @property
    def seconds(self) -> float:
        """From the first message to the last picture."""
        last = max((record.updated_at or 0 for record in self.records), default=0) / 1000
        return max(0.001, last - self.began)

    @property
    def _machine_cpu_ms(self) -> int | None:
        if self.machine_cpu_seconds is None or not self.captured:
            return None
        return round(self.machine_cpu_seconds / len(self.captured) * 1000)

    def to_wire(self) -> dict[str, Any]:
        """Wire names. Durations are milliseconds, money USD."""
        captured, compute = self.captured, _sum_of_usd(self.captured)
        services = service_usd(len(captured))
        latencies = [(r.updated_at or 0) - r.queued_at for r in captured if r.queued_at]
        return {
            "messages": self.messages,
            "senders": self.senders,
            "captured": len(captured),
            "skipped": sum(self.skipped.values()),
            "failed": len(self.failed),
            "unfinished": self.messages - self.ended,
            "leftOnQueue": self.left_on_queue,
            "deadLetters": self.dead_letters,
            "seconds": round(self.seconds, 2),
            "sendSeconds": round(self.sent_by - self.began, 2),
            "sentPerSecond": round(self.messages / max(0.001, self.sent_by - self.began), 1),
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
    """By nearest rank; empty for no values."""
    ordered = sorted(values)
    return {
        name: ordered[min(len(ordered) - 1, int(len(ordered) * share))] for name, share in SHARES.items() if ordered
    }


def _mean(values: Iterable[int | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else 0.0


def _sum_of_usd(records: Iterable[Record]) -> dict[str, float]:
    total: Counter[str] = Counter()
    for record in records:
        total.update(record.estimated_usd or {})
    return {name: float(usd) for name, usd in total.items()}
