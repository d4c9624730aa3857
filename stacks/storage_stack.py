"""The resources that must outlive every deployment: the queues, the table and the bucket. All are retained."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stillframe.table.attributes import EXPIRES_AT, ID
from stillframe.table.record import (
    FORMER_INDEX_NAME,
    INDEX_NAME,
    INDEX_PARTITION_KEY,
    INDEX_SORT_KEY,
    TENANT_INDEX,
    TENANT_INDEX_PARTITION_KEY,
    TENANT_INDEX_SORT_KEY,
)
from stillframe.tenants.key_store import PREFIX as KEY_PREFIX

from .config import DeployConfig
from .environment import ConfigError
from .nag import acknowledge

NONCURRENT_VERSION_DAYS = 30
# "DynamoDB Streams and Lambda triggers": more readers of a shard at once are throttled.
MAX_STREAM_READERS = 2


class StorageStack(Stack):
    """Stateful resources. A test locks their logical ids, because a new id would create a new, empty resource."""

    def __init__(self, scope: Construct, construct_id: str, *, config: DeployConfig, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._stream_readers = 0
        self.key = kms.Key.from_key_arn(self, "Key", config.kms_key_arn) if config.kms_key_arn else None
        queue_encryption = sqs.QueueEncryption.KMS if self.key else sqs.QueueEncryption.SQS_MANAGED
        self.dead_letter_queue = sqs.Queue(
            self,
            "DeadLetterQueue",
            retention_period=Duration.days(config.dead_letter_retention_days),
            encryption=queue_encryption,
            encryption_master_key=self.key,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.queue = sqs.Queue(
            self,
            "CaptureQueue",
            visibility_timeout=Duration.seconds(config.visibility_timeout_seconds),
            retention_period=Duration.days(config.queue_retention_days),
            receive_message_wait_time=Duration.seconds(20),
            encryption=queue_encryption,
            encryption_master_key=self.key,
            enforce_ssl=True,
            # The dead-letter queue has none: it would have to name this queue, which is a circular dependency.
            redrive_allow_policy=sqs.RedriveAllowPolicy(redrive_permission=sqs.RedrivePermission.DENY_ALL),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letter_queue, max_receive_count=config.max_receive_count
            ),
            removal_policy=RemovalPolicy.RETAIN,
        )
        if config.producer_accounts:
            self.queue.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="AllowProducersOfOtherAccounts",
                    principals=[iam.AccountPrincipal(account) for account in config.producer_accounts],
                    actions=["sqs:SendMessage", "sqs:GetQueueUrl"],
                    resources=[self.queue.queue_arn],
                )
            )
        self.table = self._table(config)
        # The former index is read while the present one is being built.
        names = (INDEX_NAME, TENANT_INDEX, *((FORMER_INDEX_NAME,) if config.keep_former_index else ()))
        self.index_arns = [f"{self.table.table_arn}/index/{each}" for each in names]
        # The export stays when the last reader goes: CloudFormation takes none back that another stack still imports.
        self._stream_arn = self.table.table_stream_arn or ""
        self.export_value(self._stream_arn)
        self.bucket = self._bucket(config)
        self._retain_policies()
        # The command line reads these outputs.
        outputs = {
            "QueueUrl": self.queue.queue_url,
            "DeadLetterQueueUrl": self.dead_letter_queue.queue_url,
            "TableName": self.table.table_name,
            "BucketName": self.bucket.bucket_name,
            "KeyPrefix": config.key_prefix,
            "MaxReceiveCount": str(config.max_receive_count),
            "RecordRetentionDays": str(config.record_retention_days),
            "Service": config.service,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)

    def read_stream(self) -> str:
        """The ARN of the table's stream. Each reader asks for it once. Raises ConfigError for a reader too many."""
        self._stream_readers += 1
        if self._stream_readers > MAX_STREAM_READERS:
            raise ConfigError(
                "events, on_captured and on_failed read the table's stream, and DynamoDB allows two readers: use rules "
                "on EventBridge in place of on_captured and on_failed (docs/events.md)"
            )
        return self._stream_arn

    def use_key(self, *, writes: bool) -> list[iam.PolicyStatement]:
        """The permission to read what the owner's key encrypts, and to write; none without such a key.

        One policy may have both: IAM refuses a policy with two statements of the same Sid.
        """
        if self.key is None:
            return []
        actions = ["kms:Decrypt", *(["kms:GenerateDataKey"] if writes else [])]
        sid = "WriteWithKey" if writes else "ReadWithKey"
        return [iam.PolicyStatement(sid=sid, actions=actions, resources=[self.key.key_arn])]

    def update_items(self, sid: str, *, keys: bool = False) -> iam.PolicyStatement:
        """The permission to update items of the table: the keys of tenants, or all others.

        Whoever could write a key would be let in by the API as any tenant.
        """
        operator = "ForAllValues:StringLike" if keys else "ForAllValues:StringNotLike"
        return iam.PolicyStatement(
            sid=sid,
            actions=["dynamodb:UpdateItem"],
            resources=[self.table.table_arn],
            conditions={operator: {"dynamodb:LeadingKeys": [f"{KEY_PREFIX}*"]}},
        )

    def _retain_policies(self) -> None:
        """Without its policy, a queue or bucket that outlives the stack would take requests without TLS."""
        for resource in self.node.find_all():
            if isinstance(resource, sqs.CfnQueuePolicy | s3.CfnBucketPolicy):
                resource.apply_removal_policy(RemovalPolicy.RETAIN)

    def _table(self, config: DeployConfig) -> dynamodb.TableV2:
        indexes = [_index(INDEX_NAME, INDEX_PARTITION_KEY, INDEX_SORT_KEY, dynamodb.ProjectionType.KEYS_ONLY)]
        if config.keep_former_index:
            indexes.append(_index(FORMER_INDEX_NAME, INDEX_PARTITION_KEY, INDEX_SORT_KEY))
        if config.tenant_index:
            indexes.append(_index(TENANT_INDEX, TENANT_INDEX_PARTITION_KEY, TENANT_INDEX_SORT_KEY))
        return dynamodb.TableV2(
            self,
            "Records",
            partition_key=dynamodb.Attribute(name=ID, type=dynamodb.AttributeType.STRING),
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(self.key) if self.key else None,
            time_to_live_attribute=EXPIRES_AT,
            # Always: it costs nothing until somebody reads it, and whoever begins to finds the last day in it.
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
            global_secondary_indexes=indexes,
        )

    def _bucket(self, config: DeployConfig) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Images",
            # A second write of a key would remain visible as a version, for which `stillframe audit` checks.
            versioned=True,
            encryption=s3.BucketEncryption.KMS if self.key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=self.key,
            # One data key for many objects: every object would cost a call to KMS.
            bucket_key_enabled=True if self.key else None,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="ExpireImages",
                    expiration=Duration.days(config.object_retention_days),
                    noncurrent_version_expiration=Duration.days(NONCURRENT_VERSION_DAYS),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
        )
        acknowledge(
            bucket,
            "AwsSolutions-S1",
            "Access logs of image reads belong to the account's own audit trail (CloudTrail data events), "
            "whose cost and retention its owner decides on.",
        )
        return bucket


def _index(
    name: str,
    partition_key: str,
    sort_key: str,
    projection: dynamodb.ProjectionType = dynamodb.ProjectionType.ALL,
) -> dynamodb.GlobalSecondaryIndexPropsV2:
    return dynamodb.GlobalSecondaryIndexPropsV2(
        index_name=name,
        partition_key=dynamodb.Attribute(name=partition_key, type=dynamodb.AttributeType.STRING),
        sort_key=dynamodb.Attribute(name=sort_key, type=dynamodb.AttributeType.NUMBER),
        projection_type=projection,
    )
