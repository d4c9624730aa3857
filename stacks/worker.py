"""The parts common to all workers, function and tasks: image, environment, permissions and logs."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from .config import DeployConfig
from .nag import acknowledge
from .storage_stack import StorageStack

LOG_RETENTIONS = {
    1: logs.RetentionDays.ONE_DAY,
    7: logs.RetentionDays.ONE_WEEK,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}


def worker_logs(scope: Construct, config: DeployConfig) -> logs.LogGroup:
    """Create the log group of a worker."""
    days = config.log_retention_days
    # The shortest retention period of these that is not below the configured one.
    retention = next((each for offered, each in LOG_RETENTIONS.items() if offered >= days), logs.RetentionDays.INFINITE)
    key = kms.Key.from_key_arn(scope, "LogKey", config.kms_key_arn) if config.kms_key_arn else None
    return logs.LogGroup(scope, "Logs", retention=retention, removal_policy=RemovalPolicy.DESTROY, encryption_key=key)


def worker_environment(config: DeployConfig, storage: StorageStack) -> dict[str, str]:
    """The environment variables that all workers have in common."""
    return {
        "QUEUE_URL": storage.queue.queue_url,
        "DEAD_LETTER_QUEUE_URL": storage.dead_letter_queue.queue_url,
        "TABLE_NAME": storage.table.table_name,
        "BUCKET_NAME": storage.bucket.bucket_name,
        "LOG_LEVEL": config.log_level,
        "STILLFRAME_MAX_RECEIVE_COUNT": str(config.max_receive_count),
        "STILLFRAME_RECORD_RETENTION_DAYS": str(config.record_retention_days),
        "STILLFRAME_MAX_PAGE_MB": str(config.max_page_mb),
        **({"STILLFRAME_SERVICE": config.service} if config.environment else {}),
        **({"STILLFRAME_PER_HOST": str(config.per_host)} if config.per_host else {}),
        **config.text_variables,
    }


def worker_statements(config: DeployConfig, storage: StorageStack) -> list[iam.PolicyStatement]:
    """The permissions of a worker on the queue, the table, the bucket and secrets, and no others."""
    return [
        iam.PolicyStatement(
            sid="ReceiveRequests",
            actions=[
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueAttributes",
                # A message that has to wait for its host, or that met a fault of the worker at its last receive, is
                # replaced by a delayed copy.
                "sqs:SendMessage",
            ],
            resources=[storage.queue.queue_arn],
        ),
        iam.PolicyStatement(
            sid="DeadLetterInvalidMessages",
            actions=["sqs:SendMessage"],
            resources=[storage.dead_letter_queue.queue_arn],
        ),
        iam.PolicyStatement(
            sid="ReadRecords",
            actions=["dynamodb:GetItem"],
            resources=[storage.table.table_arn],
        ),
        storage.update_items("ClaimAndComplete"),
        iam.PolicyStatement(
            sid="StoreAndAdoptImages",
            actions=["s3:PutObject", "s3:GetObject"],
            resources=[storage.bucket.arn_for_objects(f"{config.key_prefix}/*")],
        ),
        iam.PolicyStatement(
            # Without it, S3 answers 403 instead of 404 for a missing object (HeadObject).
            sid="DistinguishMissingFromForbidden",
            actions=["s3:ListBucket"],
            resources=[storage.bucket.bucket_arn],
        ),
        *_secret_statements(config),
        *storage.use_key(writes=True),
    ]


def write_logs(group: logs.LogGroup) -> iam.PolicyStatement:
    """The permission to write to one log group."""
    return iam.PolicyStatement(
        sid="WriteLogs", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[group.log_group_arn]
    )


def acknowledge_images(holder: Construct, scope: Construct, config: DeployConfig, storage: StorageStack) -> None:
    """Acknowledge the wildcard in permissions on images."""
    images = Stack.of(scope).resolve(storage.export_value(storage.bucket.bucket_arn))["Fn::ImportValue"]
    acknowledge(
        holder,
        f"AwsSolutions-IAM5[Resource::{images}/{config.key_prefix}/*]",
        "Any key below this deployment's own prefix, and no others.",
    )


def _secret_statements(config: DeployConfig) -> list[iam.PolicyStatement]:
    """The permission to read exactly the granted secrets; none if no secret is granted."""
    arns = sorted({grant.arn for grant in config.secret_grants})
    if not arns:
        return []
    return [iam.PolicyStatement(sid="LookUpGrantedSecrets", actions=["secretsmanager:GetSecretValue"], resources=arns)]
