"""Tells an application of records that have reached a state, by the table's stream."""

from __future__ import annotations

import json
from typing import cast

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_pipes as pipes
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stillframe.table.attributes import STATUS
from stillframe.table.record import Status

from .storage_stack import StorageStack

BATCH_SIZE = 10
# A target that fails gets a batch again until it is an hour old. The stream keeps it for a day.
MAX_AGE_SECONDS = 3600
READ_STREAM = [
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
]


class RecordPipe(Construct):
    """A pipe from the table's stream to one queue or function, with exactly the permissions that it uses."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: StorageStack,
        status: Status,
        target: sqs.IQueue | lambda_.IFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        stream = storage.read_stream()
        # Only for pipes of this account ("Cross-service confused deputy prevention").
        own = {"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("pipes.amazonaws.com", conditions=own))
        role.add_to_policy(
            iam.PolicyStatement(
                sid="ReadStream",
                actions=READ_STREAM,
                resources=[stream],
            )
        )
        is_queue = isinstance(target, sqs.QueueBase)
        arn = cast(sqs.IQueue, target).queue_arn if is_queue else cast(lambda_.IFunction, target).function_arn
        action = "sqs:SendMessage" if is_queue else "lambda:InvokeFunction"
        role.add_to_policy(iam.PolicyStatement(sid="HandOver", actions=[action], resources=[arn]))
        # A stream is under its table's key, and a queue may be under one of the application's.
        for statement in (*storage.use_key(writes=False), *(_use_key_of(cast(sqs.IQueue, target)) if is_queue else [])):
            role.add_to_policy(statement)
        source = pipes.CfnPipe.PipeSourceParametersProperty(
            dynamo_db_stream_parameters=pipes.CfnPipe.PipeSourceDynamoDBStreamParametersProperty(
                starting_position="LATEST",
                batch_size=BATCH_SIZE,
                maximum_record_age_in_seconds=MAX_AGE_SECONDS,
                on_partial_batch_item_failure="AUTOMATIC_BISECT",
            ),
            filter_criteria=pipes.CfnPipe.FilterCriteriaProperty(
                filters=[pipes.CfnPipe.FilterProperty(pattern=json.dumps(reaching(status)))]
            ),
        )
        pipe = pipes.CfnPipe(self, "Pipe", role_arn=role.role_arn, source=stream, source_parameters=source, target=arn)
        # A pipe that is made before its role may use the stream fails.
        pipe.node.add_dependency(role)


def reaching(status: Status) -> dict[str, object]:
    """The changes by which a record reaches this state, and not those of a record that was in it already.

    A record may be written for the first time and be final at once, as that of a message that is no request. An event
    pattern of EventBridge ("Event filtering in Amazon EventBridge Pipes").
    """
    return {
        "dynamodb": {
            "NewImage": {STATUS: {"S": [status.value]}},
            "OldImage": {STATUS: {"S": [{"anything-but": [status.value]}, {"exists": False}]}},
        }
    }


def _use_key_of(queue: sqs.IQueue) -> list[iam.PolicyStatement]:
    if queue.encryption_master_key is None:
        return []
    actions, key = ["kms:Decrypt", "kms:GenerateDataKey"], queue.encryption_master_key.key_arn
    return [iam.PolicyStatement(sid="UseKeyOfTarget", actions=actions, resources=[key])]
