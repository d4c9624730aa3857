"""Watches: a group of schedules, which the command line fills, and the role by which they send to the queue."""

from __future__ import annotations

from aws_cdk import ArnFormat, CfnOutput, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from .config import DeployConfig
from .nag import acknowledge, place_of
from .storage_stack import StorageStack


class Watching(Construct):
    """What EventBridge Scheduler needs, and nothing that runs: a schedule is made for each page that is watched."""

    def __init__(self, scope: Construct, construct_id: str, *, config: DeployConfig, storage: StorageStack) -> None:
        super().__init__(scope, construct_id)
        # Deleted with the stack, and its schedules with it.
        self._group = f"{config.stack_name}-watches"
        group = scheduler.CfnScheduleGroup(self, "Group", name=self._group)
        # Only for the schedules of this group ("Confused deputy prevention in EventBridge Scheduler").
        own = {
            "StringEquals": {"aws:SourceAccount": Stack.of(self).account},
            "ArnLike": {"aws:SourceArn": self._arn("schedule-group", self._group)},
        }
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com", conditions=own),
            description="Sends the requests of Stillframe's watches to the queue",
        )
        for statement in (
            iam.PolicyStatement(sid="SendRequests", actions=["sqs:SendMessage"], resources=[storage.queue.queue_arn]),
            *storage.use_key(writes=True),
        ):
            self.role.add_to_policy(statement)
        for name, value in {"WatchGroup": group.ref, "WatchRoleArn": self.role.role_arn}.items():
            CfnOutput(Stack.of(self), name, value=value)

    def statements_of_operator(self) -> list[iam.PolicyStatement]:
        """To add, change and remove watches."""
        return [
            iam.PolicyStatement(
                sid="ScheduleWatches",
                actions=["scheduler:CreateSchedule", "scheduler:UpdateSchedule", "scheduler:DeleteSchedule"],
                resources=[self._schedules()],
            ),
            iam.PolicyStatement(sid="FindSchedules", actions=["scheduler:ListSchedules"], resources=["*"]),
            iam.PolicyStatement(
                sid="LetSchedulesSend",
                actions=["iam:PassRole"],
                resources=[self.role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
            ),
        ]

    def acknowledge_for(self, policy: iam.ManagedPolicy) -> None:
        """Accept the wildcard in the operator's policy."""
        schedules = f"arn:<AWS::Partition>:scheduler:{place_of(policy)}:schedule/{self._group}/*"
        reason = "A watch has a schedule for each page, all in the group of this deployment."
        acknowledge(policy, f"AwsSolutions-IAM5[Resource::{schedules}]", reason)

    def _schedules(self) -> str:
        return self._arn("schedule", f"{self._group}/*")

    def _arn(self, resource: str, name: str) -> str:
        return Stack.of(self).format_arn(
            service="scheduler", resource=resource, resource_name=name, arn_format=ArnFormat.SLASH_RESOURCE_NAME
        )
