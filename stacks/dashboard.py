"""The dashboard: the state of the service on one page."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from .config import CONCURRENCY_PER_POLLER, DeployConfig
from .digests import Digests
from .fleet import Fleet
from .measures import MINUTE, OUTCOMES, SKIP_REASONS, Measures
from .notifier import Notifier
from .storage_stack import StorageStack
from .webhooks import Webhooks

FIVE_MINUTES = Duration.minutes(5)
HOUR = Duration.hours(1)
WIDTH = 8
PERCENTILES = ("p50", "p95", "p99")
# The codes that someone can act on; the others are in the logs.
FAILURE_CODES = ("TIMEOUT", "UNKNOWN_HOST", "CONNECTION_RESET", "BROWSER_CRASHED", "BLOCKED_ADDRESS", "PAGE_TOO_LARGE")
RETRY_CODES = ("AWS_ERROR", "UNEXPECTED", "BROWSER_CRASHED", "TIMEOUT", "CLAIM_HELD")


class Dashboard(Construct):
    """Graphs of the queue, outcomes, durations, errors, claims, cost and workers."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeployConfig,
        storage: StorageStack,
        function: lambda_.IFunction | None,
        fleet: Fleet | None,
        notifier: Notifier | None,
        digests: Digests | None,
        webhooks: Webhooks | None,
    ) -> None:
        super().__init__(scope, construct_id)
        board = cloudwatch.Dashboard(self, "Board", default_interval=Duration.hours(6))
        measures = Measures(config.service)
        queue, dead = storage.queue, storage.dead_letter_queue
        board.add_widgets(
            _graph(
                "Queue",
                queue.metric_approximate_number_of_messages_visible(period=MINUTE, label="waiting"),
                queue.metric_approximate_number_of_messages_not_visible(period=MINUTE, label="in flight"),
                dead.metric_approximate_number_of_messages_visible(period=MINUTE, label="dead letters"),
            ),
            _graph("Oldest message, s", queue.metric_approximate_age_of_oldest_message(period=MINUTE, label="age")),
            _graph("Deliveries by outcome", *(measures.by_outcome("Captures", each, label=each) for each in OUTCOMES)),
        )
        board.add_widgets(
            _graph("Skipped by reason", *(measures.by_reason("skipped", reason) for reason in SKIP_REASONS)),
            _graph("Failed by code", *(measures.by_reason("failed", code) for code in FAILURE_CODES)),
            _graph("Retried by code", *(measures.by_reason("retry", code) for code in RETRY_CODES)),
        )
        board.add_widgets(
            _graph(
                "Render, ms",
                *(measures.by_outcome("RenderDuration", "captured", each, FIVE_MINUTES, each) for each in PERCENTILES),
            ),
            _graph(
                "From send to claim, ms",
                *(measures.by_outcome("ClaimAge", "captured", each, FIVE_MINUTES, each) for each in PERCENTILES),
            ),
            _graph(
                "Shares, %",
                measures.over_all("FailedCaptures", "Average", FIVE_MINUTES, "failed captures"),
                measures.over_all("LostClaims", "Average", FIVE_MINUTES, "lost claims"),
                measures.over_all("BlankImages", "Average", FIVE_MINUTES, "blank images"),
            ),
        )
        board.add_widgets(
            _graph("Compute, USD per hour", measures.over_all("EstimatedUsd", "Sum", HOUR, "USD")),
            _graph(
                "Per capture, ms",
                measures.by_outcome("CpuTime", "captured", "Average", FIVE_MINUTES, "CPU"),
                measures.by_outcome("BilledTime", "captured", "Average", FIVE_MINUTES, "billed"),
                measures.by_outcome("AwsTime", "captured", "Average", FIVE_MINUTES, "AWS calls"),
            ),
            _graph("Image, bytes", measures.by_outcome("ImageSize", "captured", "Average", FIVE_MINUTES, "mean")),
        )
        board.add_widgets(
            _graph(
                "From send to stored, ms",
                *(measures.by_outcome("Latency", "captured", each, FIVE_MINUTES, each) for each in PERCENTILES),
            ),
            _graph(
                "Messages",
                queue.metric_number_of_messages_received(period=MINUTE, label="received"),
                queue.metric_number_of_messages_deleted(period=MINUTE, label="deleted"),
            ),
            _graph("Table", *_table_metrics(storage)),
        )
        if function is not None:
            board.add_widgets(*_function_graphs(config, function))
        if fleet is not None:
            board.add_widgets(*_fleet_graphs(config, fleet))
        if notifier is not None:
            board.add_widgets(*_event_graphs(notifier, digests))
        if webhooks is not None:
            board.add_widgets(_webhook_graph(webhooks))


def _table_metrics(storage: StorageStack) -> list[cloudwatch.Metric]:
    """What DynamoDB throttles and refuses. It counts user errors for the whole account and region only."""
    names = {"WriteThrottleEvents": "throttled writes", "ReadThrottleEvents": "throttled reads"}
    table = {"TableName": storage.table.table_name}
    return [
        *(_of_table(name, label, table) for name, label in names.items()),
        _of_table("UserErrors", "user errors in the account", {}),
    ]


def _of_table(name: str, label: str, dimensions: dict[str, str]) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/DynamoDB",
        metric_name=name,
        dimensions_map=dimensions,
        statistic="Sum",
        period=MINUTE,
        label=label,
    )


def _function_graphs(config: DeployConfig, function: lambda_.IFunction) -> list[cloudwatch.GraphWidget]:
    maximum = config.max_pollers * CONCURRENCY_PER_POLLER if config.is_provisioned else config.max_concurrency
    return [
        _graph(
            "Concurrency against its maximum",
            function.metric("ConcurrentExecutions", period=MINUTE, statistic="Maximum", label="executions"),
            annotations=[cloudwatch.HorizontalAnnotation(value=maximum, label="maximum")],
        ),
        _graph(
            "Function: errors and throttles",
            function.metric_errors(period=MINUTE, label="errors"),
            function.metric_throttles(period=MINUTE, label="throttles"),
        ),
        _graph(
            "Invocation, ms",
            *(function.metric_duration(period=FIVE_MINUTES, statistic=each, label=each) for each in PERCENTILES),
        ),
    ]


def _fleet_graphs(config: DeployConfig, fleet: Fleet) -> list[cloudwatch.GraphWidget]:
    return [
        _graph(
            "Tasks against their maximum",
            fleet.running_tasks,
            annotations=[cloudwatch.HorizontalAnnotation(value=config.max_tasks, label="maximum")],
        ),
        _graph("Fleet: CPU, %", fleet.service.metric_cpu_utilization(period=MINUTE)),
        _graph("Fleet: memory, %", fleet.service.metric_memory_utilization(period=MINUTE)),
    ]


def _event_graphs(notifier: Notifier, digests: Digests | None) -> list[cloudwatch.GraphWidget]:
    function, failures = notifier.function, notifier.failures
    return [
        _graph("Events: age of the changes, ms", notifier.iterator_age),
        _graph(
            "Notifier",
            function.metric_invocations(period=MINUTE, label="invocations"),
            function.metric_errors(period=MINUTE, label="errors"),
            failures.metric_approximate_number_of_messages_visible(period=MINUTE, label="given up"),
            *([digests.function.metric_errors(period=MINUTE, label="errors of digests")] if digests else []),
        ),
    ]


def _webhook_graph(webhooks: Webhooks) -> cloudwatch.GraphWidget:
    queue, letters = webhooks.queue, webhooks.dead_letter_queue
    return _graph(
        "Webhooks",
        queue.metric_approximate_number_of_messages_visible(period=MINUTE, label="to be sent"),
        queue.metric_approximate_number_of_messages_not_visible(period=MINUTE, label="waiting for an attempt"),
        letters.metric_approximate_number_of_messages_visible(period=MINUTE, label="given up"),
    )


def _graph(
    title: str, *metrics: cloudwatch.IMetric, annotations: list[cloudwatch.HorizontalAnnotation] | None = None
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), left_annotations=annotations, width=WIDTH)
