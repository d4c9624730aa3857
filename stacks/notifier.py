"""The notifier: a small function that reads the table's stream, and sends events to EventBridge and to webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsii
from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stillframe.events import KINDS
from stillframe.table.attributes import STATUS

from .config import DeployConfig
from .measures import MINUTE
from .nag import acknowledge
from .record_pipe import READ_STREAM
from .storage_stack import StorageStack
from .webhooks import Webhooks
from .worker import worker_logs, write_logs
from .zip_function import zip_function

# A batch makes ten calls of PutEvents at most. One that EventBridge does not answer fails after half a minute.
TIMEOUT_SECONDS = 60
MEMORY_MB = 512
BATCH_SIZE = 100
# Batches of one shard at once; those of one record stay in their order.
PARALLEL_BATCHES = 2
# The stream keeps a change for a day. After half of it, Lambda gives a change up: what it tells the failure queue says
# where the change is in the stream, and half a day is left to read it there.
MAX_AGE_HOURS = 12
# The most that Lambda takes. With its pauses, the age comes first.
MAX_RETRIES = 10_000
FAILURE_RETENTION_DAYS = 14


@jsii.implements(lambda_.IEventSourceDlq)
class _OnFailure:
    """The failure queue as the mapping's destination, whose permission is among the role's statements."""

    def __init__(self, queue: sqs.IQueue) -> None:
        self._queue = queue

    def bind(self, *_: Any, **__: Any) -> lambda_.DlqDestinationConfig:
        return lambda_.DlqDestinationConfig(destination=self._queue.queue_arn)


class Notifier(Construct):
    """The function, its event source, and a queue for what could not be sent."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeployConfig,
        storage: StorageStack,
        webhooks: Webhooks | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self._webhooks = webhooks
        self._storage = storage
        self._stream = storage.read_stream()
        self.log_group = worker_logs(self, config)
        self.failures = self._failure_queue()
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="The permissions of the Stillframe notifier",
        )
        for statement in self._statements():
            self.role.add_to_policy(statement)
        self.function = self._function()
        self._mapping()

    @property
    def iterator_age(self) -> cloudwatch.Metric:
        """How old, in milliseconds, the last change of a batch was when Lambda received it."""
        return self.function.metric("IteratorAge", period=MINUTE, statistic="Maximum")

    def statements_of_sinks(self) -> list[iam.PolicyStatement]:
        """To send events wherever they are sent."""
        return [
            iam.PolicyStatement(sid="PutEvents", actions=["events:PutEvents"], resources=[self._bus_arn()]),
            *([self._webhooks.statement_of_notifier()] if self._webhooks else []),
            *self._storage.use_key(writes=True),
        ]

    def environment_of_sinks(self) -> dict[str, str]:
        """The variables that name them."""
        webhooks = self._webhooks.environment_of_notifier() if self._webhooks else {}
        return {"STILLFRAME_EVENT_BUS": self._config.event_bus, **webhooks}

    def _failure_queue(self) -> sqs.Queue:
        key = self._storage.key
        queue = sqs.Queue(
            self,
            "Failures",
            retention_period=Duration.days(FAILURE_RETENTION_DAYS),
            encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=key,
            enforce_ssl=True,
        )
        acknowledge(queue, "AwsSolutions-SQS3", "It is where Lambda reports failures, and has no reader that may fail.")
        return queue

    def _statements(self) -> list[iam.PolicyStatement]:
        """Exactly what the event source and the function do."""
        return [
            iam.PolicyStatement(sid="ReadStream", actions=READ_STREAM, resources=[self._stream]),
            iam.PolicyStatement(sid="ReportFailures", actions=["sqs:SendMessage"], resources=[self.failures.queue_arn]),
            *self.statements_of_sinks(),
            write_logs(self.log_group),
        ]

    def _bus_arn(self) -> str:
        return Stack.of(self).format_arn(
            service="events",
            resource="event-bus",
            resource_name=self._config.event_bus,
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )

    def _function(self) -> lambda_.Function:
        return zip_function(
            self,
            "notifier",
            description="Stillframe: an event for each completed screenshot",
            memory_mb=MEMORY_MB,
            timeout_seconds=TIMEOUT_SECONDS,
            config=self._config,
            storage=self._storage,
            role=self.role,
            log_group=self.log_group,
            environment={
                **self.environment_of_sinks(),
                "STILLFRAME_EVENT_FAILURES_URL": self.failures.queue_url,
            },
        )

    def _mapping(self) -> None:
        mapping = lambda_.EventSourceMapping(
            self,
            "FromStream",
            target=self.function,
            event_source_arn=self._stream,
            # A mapping that takes the place of this one sends again what the stream has, with the same event ids.
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=BATCH_SIZE,
            parallelization_factor=PARALLEL_BATCHES,
            filters=[completions()],
            report_batch_item_failures=True,
            bisect_batch_on_error=True,
            retry_attempts=MAX_RETRIES,
            max_record_age=Duration.hours(MAX_AGE_HOURS),
            on_failure=_OnFailure(self.failures),
        )
        # Lambda refuses a mapping whose role may not use the stream.
        mapping.node.add_dependency(self.role)


def completions() -> Mapping[str, Any]:
    """The changes after which a record is final ("Lambda event filtering"). The notifier looks at each more closely."""
    statuses = [status.value for status in KINDS]
    return lambda_.FilterCriteria.filter({"dynamodb": {"NewImage": {STATUS: {"S": statuses}}}})
