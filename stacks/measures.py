"""The service's own metrics as constructs. `observability.py` of stillframe_renderer writes them."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE = "Stillframe"
OUTCOMES = ("captured", "skipped", "failed", "retry")
SKIP_REASONS = ("already_success", "already_processing", "race_condition_prevented", "already_failed")
MINUTE = Duration.minutes(1)


class Measures:
    """The metrics of one deployment."""

    def __init__(self, service: str) -> None:
        self._service = service

    def by_outcome(
        self, name: str, outcome: str, statistic: str = "Sum", period: Duration = MINUTE, label: str | None = None
    ) -> cloudwatch.Metric:
        """A metric of the deliveries with this outcome. Alarms need one without a label."""
        return self._metric(name, statistic, period, label, outcome=outcome)

    def by_reason(self, outcome: str, reason: str) -> cloudwatch.Metric:
        """The number of deliveries per minute with this outcome and reason."""
        return self._metric("Reasons", "Sum", MINUTE, reason, outcome=outcome, reason=reason)

    def over_all(self, name: str, statistic: str, period: Duration, label: str | None = None) -> cloudwatch.Metric:
        """A metric of all deliveries. Metrics in percent are 0 or 100 for each, so their average is a share."""
        return self._metric(name, statistic, period, label)

    def _metric(
        self, name: str, statistic: str, period: Duration, label: str | None, **dimensions: str
    ) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={"service": self._service, **dimensions},
            statistic=statistic,
            period=period,
            label=label,
        )
