"""What people and applications may do with a deployment: managed policies to attach, one for each kind of user.

Each holds exactly the calls of the command line that it is for, and docs/deploy.md lists them. `cleanup`, which deletes
data, and the deployment itself are for administrators.
"""

from __future__ import annotations

from aws_cdk import Arn, ArnComponents, ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from stillframe.image.store import CHECK_NAME

from .config import DeployConfig
from .fleet import Fleet
from .nag import acknowledge, place_of
from .renderer import Renderer
from .storage_stack import StorageStack
from .watching import Watching
from .webhooks import Webhooks
from .worker import acknowledge_images


class Access(Construct):
    """Three policies: to send requests, to look at results, and to operate the service, which includes the others."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: DeployConfig,
        storage: StorageStack,
        renderer: Renderer | None,
        fleet: Fleet | None,
        topic: sns.ITopic,
        webhooks: Webhooks | None,
        watching: Watching | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._topic = topic
        self._config = config
        self._storage = storage
        send, look = self.to_send(), self.to_look()
        operate = [*self._operate(), *(self._scale_function(renderer) if renderer else [])]
        operate += self._scale_fleet(fleet) if fleet else []
        operate += webhooks.statements_of_operator() if webhooks else []
        operate += watching.statements_of_operator() if watching else []
        outputs = [self._outputs()]
        self.send = self._policy("Send", "send requests to Stillframe", [*outputs, *send])
        self.look = self._policy("Look", "look at Stillframe's records and images", [*outputs, *look])
        self.operate = self._policy("Operate", "operate Stillframe", [*outputs, *send, *look, *operate])
        for policy in (self.send, self.look, self.operate):
            self._acknowledge(policy)
        if watching is not None:
            watching.acknowledge_for(self.operate)

    def _acknowledge(self, policy: iam.ManagedPolicy) -> None:
        """Accept the wildcards, as cdk-nag writes them. A finding that a policy does not have does no harm."""
        acknowledge_images(policy, self, self._config, self._storage)
        where = place_of(policy)
        for name in self._stacks():
            resource = f"arn:<AWS::Partition>:cloudformation:{where}:stack/{name}/*"
            acknowledge(policy, f"AwsSolutions-IAM5[Resource::{resource}]", "A stack's ARN ends with a random id.")
        targets = f"arn:<AWS::Partition>:application-autoscaling:{where}:scalable-target/*"
        acknowledge(policy, f"AwsSolutions-IAM5[Resource::{targets}]", "A scalable target's ARN has a random id.")
        acknowledge(policy, "AwsSolutions-IAM5[Resource::*]", "These actions do not support resources.")

    def _stacks(self) -> list[str]:
        return [self._config.stack_name, f"{self._config.stack_name}-Storage"]

    def _policy(self, name: str, purpose: str, statements: list[iam.PolicyStatement]) -> iam.ManagedPolicy:
        return iam.ManagedPolicy(self, name, description=f"Permissions to {purpose}", statements=statements)

    def _outputs(self) -> iam.PolicyStatement:
        """`--stack` finds the resources by the outputs of both stacks."""
        stacks = [_arn(self, "cloudformation", "stack", f"{each}/*") for each in self._stacks()]
        return iam.PolicyStatement(sid="FindResources", actions=["cloudformation:DescribeStacks"], resources=stacks)

    def to_send(self) -> list[iam.PolicyStatement]:
        """To send requests, and to read their records."""
        return [
            iam.PolicyStatement(
                sid="SendRequests", actions=["sqs:SendMessage"], resources=[self._storage.queue.queue_arn]
            ),
            iam.PolicyStatement(
                # The record of a request that is queued, and its state, for which a producer may wait.
                sid="ReadOwnRecords",
                actions=["dynamodb:GetItem"],
                resources=[self._storage.table.table_arn],
            ),
            self._storage.update_items("RecordRequests"),
            *self._storage.use_key(writes=True),
        ]

    def to_read(self) -> list[iam.PolicyStatement]:
        """To read records and images."""
        storage = self._storage
        return [
            iam.PolicyStatement(
                sid="ReadRecords",
                actions=["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Scan"],
                resources=[storage.table.table_arn],
            ),
            iam.PolicyStatement(
                sid="QueryUnfinishedRecordsAndTenants",
                actions=["dynamodb:Query"],
                resources=storage.index_arns,
            ),
            iam.PolicyStatement(
                sid="ReadImages",
                actions=["s3:GetObject"],
                resources=[storage.bucket.arn_for_objects(f"{self._config.key_prefix}/*")],
            ),
            iam.PolicyStatement(
                sid="ListImages",
                actions=["s3:ListBucket", "s3:ListBucketVersions"],
                resources=[storage.bucket.bucket_arn],
            ),
            *storage.use_key(writes=False),
        ]

    def to_look(self) -> list[iam.PolicyStatement]:
        """To read records, images, counts and metrics."""
        return [
            *self.to_read(),
            iam.PolicyStatement(
                sid="CountMessages",
                actions=["sqs:GetQueueAttributes"],
                resources=[self._storage.queue.queue_arn, self._storage.dead_letter_queue.queue_arn],
            ),
            iam.PolicyStatement(sid="ReadMetrics", actions=["cloudwatch:GetMetricData"], resources=["*"]),
        ]

    def _operate(self) -> list[iam.PolicyStatement]:
        """To redrive dead letters, and to examine the deployment (`doctor`). To retry a record is to send it again."""
        return [
            iam.PolicyStatement(
                sid="SeeAlarms",
                actions=["cloudwatch:DescribeAlarms", "lambda:GetAccountSettings"],
                resources=["*"],
            ),
            iam.PolicyStatement(
                sid="SeeWhoHearsOfAlarms", actions=["sns:ListSubscriptionsByTopic"], resources=[self._topic.topic_arn]
            ),
            iam.PolicyStatement(
                sid="RedriveDeadLetters",
                actions=["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"],
                resources=[self._storage.dead_letter_queue.queue_arn],
            ),
            self._storage.update_items("ManageKeysOfTenants", keys=True),
            # `doctor` makes the calls of a worker that change nothing. Without permission to receive, nobody has the
            # receipt handle of a message to delete, and nobody reads the object.
            iam.PolicyStatement(
                sid="CheckQueue", actions=["sqs:DeleteMessage"], resources=[self._storage.queue.queue_arn]
            ),
            iam.PolicyStatement(
                sid="CheckBucket",
                actions=["s3:PutObject"],
                resources=[self._storage.bucket.arn_for_objects(f"{self._config.key_prefix}/{CHECK_NAME}")],
            ),
        ]

    def _scale_function(self, renderer: Renderer) -> list[iam.PolicyStatement]:
        return [
            iam.PolicyStatement(
                sid="ScaleFunction",
                actions=[
                    "lambda:GetFunctionConcurrency",
                    "lambda:PutFunctionConcurrency",
                    "lambda:DeleteFunctionConcurrency",
                    "lambda:GetFunctionConfiguration",
                ],
                resources=[renderer.function.function_arn],
            ),
            iam.PolicyStatement(sid="FindEventSource", actions=["lambda:ListEventSourceMappings"], resources=["*"]),
            iam.PolicyStatement(
                sid="ScaleEventSource",
                actions=["lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping"],
                resources=[renderer.mapping.event_source_mapping_arn],
            ),
        ]

    def _scale_fleet(self, fleet: Fleet) -> list[iam.PolicyStatement]:
        return [
            iam.PolicyStatement(
                sid="ScaleFleet",
                actions=["ecs:DescribeServices", "ecs:UpdateService"],
                resources=[fleet.service.service_arn],
            ),
            iam.PolicyStatement(
                sid="FindScalableTarget",
                actions=["application-autoscaling:DescribeScalableTargets"],
                resources=["*"],
            ),
            iam.PolicyStatement(
                sid="LimitFleet",
                actions=["application-autoscaling:RegisterScalableTarget"],
                resources=[_arn(self, "application-autoscaling", "scalable-target", "*")],
            ),
        ]


def _arn(scope: Construct, service: str, resource: str, name: str) -> str:
    return Arn.format(
        ArnComponents(service=service, resource=resource, resource_name=name, arn_format=ArnFormat.SLASH_RESOURCE_NAME),
        Stack.of(scope),
    )
