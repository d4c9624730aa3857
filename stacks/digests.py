"""Digests: a small function that tells of the days of watches, to EventBridge and to the deployment's webhook."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from stillframe.table.record import TENANT_INDEX
from stillframe.watches.told_days import PREFIX

from .config import DeployConfig
from .notifier import Notifier
from .storage_stack import StorageStack
from .worker import worker_logs, write_logs
from .zip_function import zip_function

# The most that a function has: a thousand pages, each captured every minute, take half of it with a whole vCPU.
TIMEOUT_SECONDS = 900
MEMORY_MB = 1769
EVERY_MINUTES = 15


class Digests(Construct):
    """The function, and the rule that invokes it. What it could not send, the next invocation sends."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: DeployConfig, storage: StorageStack, notifier: Notifier
    ) -> None:
        super().__init__(scope, construct_id)
        self._storage = storage
        self.log_group = worker_logs(self, config)
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="The permissions of the digests of Stillframe's watches",
        )
        for statement in [*self._statements(), *notifier.statements_of_sinks()]:
            role.add_to_policy(statement)
        self.function = zip_function(
            self,
            "notifier",
            handler="digest_handler",
            description="Stillframe: an event for each day of a watched page",
            memory_mb=MEMORY_MB,
            timeout_seconds=TIMEOUT_SECONDS,
            config=config,
            storage=storage,
            role=role,
            log_group=self.log_group,
            environment=notifier.environment_of_sinks(),
        )
        # The next invocation comes soon enough.
        self.function.configure_async_invoke(retry_attempts=0)
        events.Rule(
            self,
            "Rule",
            description="Tells of the days of Stillframe's watches",
            schedule=events.Schedule.rate(Duration.minutes(EVERY_MINUTES)),
            targets=[targets.LambdaFunction(self.function)],
        )

    @property
    def errors(self) -> cloudwatch.Metric:
        """How many invocations have failed."""
        return self.function.metric_errors(period=Duration.minutes(EVERY_MINUTES), statistic="Sum")

    def _statements(self) -> list[iam.PolicyStatement]:
        """Exactly what the function does, besides sending."""
        table = self._storage.table.table_arn
        return [
            iam.PolicyStatement(
                sid="FindWatches", actions=["dynamodb:Query"], resources=[f"{table}/index/{TENANT_INDEX}"]
            ),
            iam.PolicyStatement(
                sid="ReadPeriods", actions=["dynamodb:GetItem", "dynamodb:BatchGetItem"], resources=[table]
            ),
            iam.PolicyStatement(
                sid="NoteDays",
                actions=["dynamodb:UpdateItem"],
                resources=[table],
                conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{PREFIX}*"]}},
            ),
            write_logs(self.log_group),
        ]
