"""The function that renders, with its role, its log group and its event source."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import Duration, RemovalPolicy, Size, Stack
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from .config import Architecture, DeployConfig
from .nag import acknowledge
from .storage_stack import StorageStack

REPOSITORY_ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = "lambda_src/renderer/Dockerfile"

ARCHITECTURES = {
    Architecture.ARM64: (lambda_.Architecture.ARM_64, ecr_assets.Platform.LINUX_ARM64),
    Architecture.X86: (lambda_.Architecture.X86_64, ecr_assets.Platform.LINUX_AMD64),
}

LOG_RETENTIONS = {
    1: logs.RetentionDays.ONE_DAY,
    7: logs.RetentionDays.ONE_WEEK,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}


class Renderer(Construct):
    """A container-image function behind the queue, with exactly the rights it uses."""

    def __init__(self, scope: Construct, construct_id: str, *, config: DeployConfig, storage: StorageStack) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self._storage = storage
        self.log_group = logs.LogGroup(
            self, "Logs", retention=_log_retention(config.log_retention_days), removal_policy=RemovalPolicy.DESTROY
        )
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="What the Stillframe renderer may do, and nothing else",
        )
        for statement in self._statements():
            self.role.add_to_policy(statement)
        self.function = self._function()
        lambda_.EventSourceMapping(
            self,
            "FromQueue",
            target=self.function,
            event_source_arn=storage.queue.queue_arn,
            batch_size=config.batch_size,
            max_batching_window=Duration.seconds(config.batch_window_seconds),
            max_concurrency=config.max_concurrency,
            report_batch_item_failures=True,
        )
        images = Stack.of(self).resolve(storage.export_value(storage.bucket.bucket_arn))["Fn::ImportValue"]
        acknowledge(
            self.role,
            f"AwsSolutions-IAM5[Resource::{images}/{config.key_prefix}/*]",
            "The function writes and reads any key below this deployment's own prefix, and no other.",
        )

    def _function(self) -> lambda_.DockerImageFunction:
        config, storage = self._config, self._storage
        architecture, platform = ARCHITECTURES[config.architecture]
        return lambda_.DockerImageFunction(
            self,
            "Function",
            description="Stillframe: renders web pages from the queue into the bucket, each one once",
            code=lambda_.DockerImageCode.from_image_asset(
                str(REPOSITORY_ROOT),
                file=DOCKERFILE,
                platform=platform,
                # What .dockerignore leaves out has no part in the image, nor in its hash.
                exclude=(REPOSITORY_ROOT / ".dockerignore").read_text().splitlines(),
            ),
            architecture=architecture,
            memory_size=config.memory_mb,
            ephemeral_storage_size=Size.mebibytes(config.tmp_mb),
            timeout=Duration.seconds(config.function_timeout_seconds),
            reserved_concurrent_executions=config.reserved_concurrency or None,
            role=self.role,
            log_group=self.log_group,
            environment={
                "QUEUE_URL": storage.queue.queue_url,
                "DEAD_LETTER_QUEUE_URL": storage.dead_letter_queue.queue_url,
                "TABLE_NAME": storage.table.table_name,
                "BUCKET_NAME": storage.bucket.bucket_name,
                "LOG_LEVEL": config.log_level,
                "STILLFRAME_KEY_PREFIX": config.key_prefix,
                "STILLFRAME_TABS": str(config.tabs),
                "STILLFRAME_JOB_DEADLINE_SECONDS": str(config.job_deadline_seconds),
                "STILLFRAME_MAX_RECEIVE_COUNT": str(config.max_receive_count),
                "STILLFRAME_RECORD_RETENTION_DAYS": str(config.record_retention_days),
                "STILLFRAME_MAX_PAGE_MB": str(config.max_page_mb),
                **{name: ",".join(map(str, values)) for name, values in self._lists().items() if values},
            },
        )

    def _lists(self) -> dict[str, tuple[object, ...]]:
        config = self._config
        return {
            "STILLFRAME_ALLOW_HOSTS": config.allow_hosts,
            "STILLFRAME_ALLOW_CIDRS": config.allow_cidrs,
            "STILLFRAME_ALLOW_PORTS": config.allow_ports,
            "STILLFRAME_DENY": config.deny,
            "STILLFRAME_SECRETS": config.secrets,
        }

    def _statements(self) -> list[iam.PolicyStatement]:
        storage, prefix = self._storage, self._config.key_prefix
        return [
            iam.PolicyStatement(
                sid="ReceiveRequests",
                actions=[
                    "sqs:ReceiveMessage",
                    "sqs:DeleteMessage",
                    "sqs:ChangeMessageVisibility",
                    "sqs:GetQueueAttributes",
                ],
                resources=[storage.queue.queue_arn],
            ),
            iam.PolicyStatement(
                sid="SetAsideWhatIsNoRequest",
                actions=["sqs:SendMessage"],
                resources=[storage.dead_letter_queue.queue_arn],
            ),
            iam.PolicyStatement(
                sid="ClaimAndComplete",
                actions=["dynamodb:UpdateItem", "dynamodb:GetItem"],
                resources=[storage.table.table_arn],
            ),
            iam.PolicyStatement(
                sid="StoreAndAdoptImages",
                actions=["s3:PutObject", "s3:GetObject"],
                resources=[storage.bucket.arn_for_objects(f"{prefix}/*")],
            ),
            iam.PolicyStatement(
                # Without it, S3 answers 403 instead of 404 for an object that is not there (HeadObject).
                sid="TellMissingFromForbidden",
                actions=["s3:ListBucket"],
                resources=[storage.bucket.bucket_arn],
            ),
            iam.PolicyStatement(
                sid="WriteLogs",
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[self.log_group.log_group_arn],
            ),
            *self._secret_statements(),
        ]

    def _secret_statements(self) -> list[iam.PolicyStatement]:
        """Nothing unless secrets are granted, and then those alone."""
        arns = sorted({grant.arn for grant in self._config.secret_grants})
        if not arns:
            return []
        return [
            iam.PolicyStatement(sid="LookUpGrantedSecrets", actions=["secretsmanager:GetSecretValue"], resources=arns)
        ]


def _log_retention(days: int) -> logs.RetentionDays:
    """The shortest retention that CloudWatch offers and that is not below the given one."""
    return next((member for offered, member in LOG_RETENTIONS.items() if offered >= days), logs.RetentionDays.INFINITE)
