"""Reads the workers' metrics back from CloudWatch."""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stillframe.errors import CaptureError, PermanentError, TransientError, all_subclasses
from stillframe.outcome import OutcomeKind, SkipReason
from stillframe_renderer.observability import NAMESPACE, SERVICE

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

# GetMetricData takes 500 queries.
MAX_QUERIES = 500
# GetMetricData returns 100,800 values at once; there are about 90 metrics.
MAX_MINUTES = 1000
# A shorter window holds too few captures to say anything.
MIN_WINDOW_SECONDS = 10
# Metrics from logs have one value a minute. CloudWatch returns nothing for a period that is not a multiple of that.
PERIOD_SECONDS = 60
# How long CloudWatch takes to extract a metric from a log.
DELAY_SECONDS = 120
CODES = sorted({error.code for error in all_subclasses(CaptureError)} - {PermanentError.code, TransientError.code})
REASONS = (
    *((OutcomeKind.SKIPPED.value, reason.value) for reason in SkipReason),
    *((kind.value, code) for kind in (OutcomeKind.FAILED, OutcomeKind.RETRY) for code in CODES),
)


@dataclass(frozen=True, slots=True)
class MetricTotals:
    """Metrics of a window: deliveries by outcome and by reason, milliseconds per capture, USD of the workers' time."""

    outcomes: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[tuple[str, str], int] = field(default_factory=dict)
    p50_ms: float | None = None
    p95_ms: float | None = None
    usd: float = 0.0

    def by_reason(self, kind: OutcomeKind) -> dict[str, int]:
        """Return the number of deliveries with this outcome by reason."""
        return {reason: count for (outcome, reason), count in self.reasons.items() if outcome == kind.value}


def settled_window(now: float, seconds: float) -> tuple[float, float]:
    """Return start and end of the latest whole minutes, at least as long as given, for which metrics are complete."""
    end = (now - DELAY_SECONDS) // PERIOD_SECONDS * PERIOD_SECONDS
    return end - math.ceil(seconds / PERIOD_SECONDS) * PERIOD_SECONDS, end


class ServiceMetrics:
    """Reads Stillframe's metrics. CloudWatch extracts them from a log within a minute or two.

    An emulator has them at once, and takes any period.
    """

    def __init__(self, client: CloudWatchClient, is_emulated: bool = False, service: str = SERVICE) -> None:
        self._client = client
        self._service = service
        self._is_emulated = is_emulated

    def window(self, now: float, seconds: float) -> tuple[float, float]:
        """Return start and end of the latest window that has all its metrics, `seconds` long or up to a minute more."""
        return (now - seconds, now) if self._is_emulated else settled_window(now, seconds)

    def read_totals(self, start_seconds: float, end_seconds: float) -> MetricTotals:
        """Read what was counted between two times (seconds since the epoch).

        Reads about 90 metrics, which cost 0.0009 USD.
        """
        kinds = [kind.value for kind in OutcomeKind]
        query = functools.partial(_query, self._service)
        queries: dict[tuple[str, ...], Any] = {
            **{("outcome", kind): query("Captures", "Sum", outcome=kind) for kind in kinds},
            **{("usd", kind): query("EstimatedUsd", "Sum", outcome=kind) for kind in kinds},
            **{
                ("reason", kind, reason): query("Reasons", "Sum", outcome=kind, reason=reason)
                for kind, reason in REASONS
            },
            ("p50",): query("Duration", "p50", outcome=OutcomeKind.CAPTURED.value),
            ("p95",): query("Duration", "p95", outcome=OutcomeKind.CAPTURED.value),
        }
        values = self._read_values(queries, start_seconds, end_seconds)
        return MetricTotals(
            outcomes={kind: round(sum(values["outcome", kind])) for kind in kinds if values["outcome", kind]},
            reasons={key[1:]: round(sum(each)) for key, each in values.items() if key[0] == "reason" and each},  # type: ignore[misc]
            p50_ms=_mean(values["p50",]),
            p95_ms=_mean(values["p95",]),
            usd=sum(sum(values["usd", kind]) for kind in kinds),
        )

    def _read_values(
        self, queries: Mapping[tuple[str, ...], Any], start_seconds: float, end_seconds: float
    ) -> dict[tuple[str, ...], list[float]]:
        """Return the values of each query, one for each period that has any."""
        seconds = max(MIN_WINDOW_SECONDS, round(end_seconds - start_seconds))
        whole = math.ceil(seconds / PERIOD_SECONDS) * PERIOD_SECONDS
        window = seconds if self._is_emulated and seconds < PERIOD_SECONDS else whole
        # Sums are read minute by minute, so that it does not matter where CloudWatch lets longer periods begin; a
        # percentile over minutes would not be one of the window.
        sum_period = min(window, PERIOD_SECONDS * -(-window // (MAX_MINUTES * PERIOD_SECONDS)))
        names = list(queries)
        values: dict[tuple[str, ...], list[float]] = {name: [] for name in names}
        metric_queries: list[Any] = [
            {
                "Id": f"m{number}",
                "MetricStat": {**queries[name], "Period": sum_period if queries[name]["Stat"] == "Sum" else window},
                "ReturnData": True,
            }
            for number, name in enumerate(names[:MAX_QUERIES])
        ]
        pages = self._client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=metric_queries,
            StartTime=datetime.fromtimestamp(end_seconds - window, UTC),
            EndTime=datetime.fromtimestamp(end_seconds, UTC),
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                values[names[int(result["Id"][1:])]] += result["Values"]
        return values


def _query(service: str, metric: str, stat: str, **dimensions: str) -> dict[str, Any]:
    all_dimensions = {"service": service, **dimensions}
    return {
        "Metric": {
            "Namespace": NAMESPACE,
            "MetricName": metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in sorted(all_dimensions.items())],
        },
        "Stat": stat,
    }


def _mean(values: Iterable[float]) -> float | None:
    """Return the mean of a percentile's values: a window that lies across two periods has two of them."""
    known = list(values)
    return statistics.fmean(known) if known else None
