"""The service's own metrics as constructs. `observability.py` of stillframe_renderer writes them."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE = "Stillframe"
SERVICE = "stillframe"
OUTCOMES = ("captured", "skipped", "failed", "retry")
SKIP_REASONS = ("already_success", "already_processing", "race_condition_prevented", "already_failed")
MINUTE = Duration.minutes(1)


def by_outcome(
    name: str, outcome: str, statistic: str = "Sum", period: Duration = MINUTE, label: str | None = None
) -> cloudwatch.Metric:
    """A metric of the deliveries with this outcome. Alarms need one without a label."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"service": SERVICE, "outcome": outcome},
        statistic=statistic,
        period=period,
        label=label,
    )


def by_reason(outcome: str, reason: str) -> cloudwatch.Metric:
    """The number of deliveries per minute with this outcome and reason."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name="Reasons",
        dimensions_map={"service": SERVICE, "outcome": outcome, "reason": reason},
        statistic="Sum",
        period=MINUTE,
        label=reason,
    )


def over_all(name: str, statistic: str, period: Duration, label: str | None = None) -> cloudwatch.Metric:
    """A metric of all deliveries. Metrics in percent are 0 or 100 for each, so their average is a share."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"service": SERVICE},
        statistic=statistic,
        period=period,
        label=label,
    )
