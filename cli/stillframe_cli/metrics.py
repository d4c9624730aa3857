"""What the workers have counted, read back from CloudWatch."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stillframe.errors import CaptureError, PermanentError, TransientError, leaves
from stillframe.outcome import OutcomeKind, SkipReason
from stillframe_renderer.observability import NAMESPACE, SERVICE

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

# Queries in one GetMetricData.
MAX_QUERIES = 500
# The shortest window; shorter ones hold too little to tell.
SHORTEST_SECONDS = 10
CODES = sorted({error.code for error in leaves(CaptureError)} - {PermanentError.code, TransientError.code})
REASONS = (
    *((OutcomeKind.SKIPPED.value, reason.value) for reason in SkipReason),
    *((kind.value, code) for kind in (OutcomeKind.FAILED, OutcomeKind.RETRY) for code in CODES),
)


@dataclass(frozen=True, slots=True)
class Counted:
    """Of a window: deliveries by outcome and by reason; milliseconds of a capture; USD of the workers' time."""

    outcomes: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[tuple[str, str], int] = field(default_factory=dict)
    p50_ms: float | None = None
    p95_ms: float | None = None
    usd: float = 0.0

    def by_reason(self, kind: OutcomeKind) -> dict[str, int]:
        """Deliveries of one outcome by reason."""
        return {reason: count for (outcome, reason), count in self.reasons.items() if outcome == kind.value}


class ServiceMetrics:
    """Reads the service's own metrics. CloudWatch has those of a log a minute or two after they were written."""

    def __init__(self, client: CloudWatchClient) -> None:
        self._client = client

    def counted(self, start_seconds: float, end_seconds: float) -> Counted:
        """What was counted between two moments, in seconds since the epoch. About 90 metrics: 0.0009 USD a call."""
        kinds = [kind.value for kind in OutcomeKind]
        queries: dict[tuple[str, ...], Any] = {
            **{("outcome", kind): _query("Captures", "Sum", outcome=kind) for kind in kinds},
            **{("usd", kind): _query("EstimatedUsd", "Sum", outcome=kind) for kind in kinds},
            **{
                ("reason", kind, reason): _query("Reasons", "Sum", outcome=kind, reason=reason)
                for kind, reason in REASONS
            },
            ("p50",): _query("Duration", "p50", outcome=OutcomeKind.CAPTURED.value),
            ("p95",): _query("Duration", "p95", outcome=OutcomeKind.CAPTURED.value),
        }
        found = self._values(queries, start_seconds, end_seconds)
        return Counted(
            outcomes={kind: round(sum(found["outcome", kind])) for kind in kinds if found["outcome", kind]},
            reasons={key[1:]: round(sum(each)) for key, each in found.items() if key[0] == "reason" and each},  # type: ignore[misc]
            p50_ms=_middle(found["p50",]),
            p95_ms=_middle(found["p95",]),
            usd=sum(sum(found["usd", kind]) for kind in kinds),
        )

    def _values(
        self, queries: Mapping[tuple[str, ...], Any], start_seconds: float, end_seconds: float
    ) -> dict[tuple[str, ...], list[float]]:
        """The values of each query, one for each period that has any."""
        seconds = max(SHORTEST_SECONDS, round(end_seconds - start_seconds))
        # Metrics of seconds are kept for three hours, and a log's are of minutes.
        period = seconds if seconds < 60 else -(-seconds // 60) * 60
        names = list(queries)
        values: dict[tuple[str, ...], list[float]] = {name: [] for name in names}
        asked: list[Any] = [
            {"Id": f"m{number}", "MetricStat": {**queries[name], "Period": period}, "ReturnData": True}
            for number, name in enumerate(names[:MAX_QUERIES])
        ]
        pages = self._client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=asked,
            StartTime=datetime.fromtimestamp(end_seconds - period, UTC),
            EndTime=datetime.fromtimestamp(end_seconds, UTC),
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                values[names[int(result["Id"][1:])]] += result["Values"]
        return values


def _query(metric: str, stat: str, **dimensions: str) -> dict[str, Any]:
    named = {"service": SERVICE, **dimensions}
    return {
        "Metric": {
            "Namespace": NAMESPACE,
            "MetricName": metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in sorted(named.items())],
        },
        "Stat": stat,
    }


def _middle(values: Iterable[float]) -> float | None:
    """A window that lies across two periods has two percentiles."""
    known = list(values)
    return statistics.fmean(known) if known else None
