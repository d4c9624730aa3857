"""Webhooks: a queue, the function that posts its messages, and the keys that sign them."""

from __future__ import annotations

import json

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .config import DeployConfig
from .nag import acknowledge
from .storage_stack import StorageStack
from .worker import worker_logs, write_logs
from .zip_function import zip_function

# An attempt has 15 s, and the messages of a batch are tried at once; each writes one item.
TIMEOUT_SECONDS = 45
# "at least six times the timeout" ("Using Lambda with Amazon SQS", configuring a queue).
VISIBILITY_SECONDS = 6 * TIMEOUT_SECONDS
MEMORY_MB = 512
BATCH_SIZE = 10
# Receivers are other people's servers: more at once would only be a load on them.
MAX_CONCURRENCY = 10
# Longer than the three days over which a message is tried.
RETENTION_DAYS = 5
DEAD_LETTER_RETENTION_DAYS = 14
# The function gives messages up itself, after fewer attempts; this is for messages that crash it.
MAX_RECEIVE_COUNT = 30
# In base64 this many characters are a key of 33 bytes; letters and digits are all valid there.
KEY_CHARS = 44


class Webhooks(Construct):
    """Everything that posts webhooks. What they tell comes from the notifier."""

    def __init__(self, scope: Construct, construct_id: str, *, config: DeployConfig, storage: StorageStack) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self._storage = storage
        self.dead_letter_queue = self._dead_letters()
        self.queue = sqs.Queue(
            self,
            "Queue",
            visibility_timeout=Duration.seconds(VISIBILITY_SECONDS),
            retention_period=Duration.days(RETENTION_DAYS),
            receive_message_wait_time=Duration.seconds(20),
            encryption=sqs.QueueEncryption.KMS if storage.key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=storage.key,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letter_queue, max_receive_count=MAX_RECEIVE_COUNT),
        )
        self.secret = self._secret()
        self.log_group = worker_logs(self, config)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="The permissions of the Stillframe webhooks",
        )
        for statement in self._statements():
            self.role.add_to_policy(statement)
        self.function = self._function()
        mapping = self._mapping()
        mapping.node.add_dependency(self.role)
        outputs = {
            "WebhookQueueUrl": self.queue.queue_url,
            "WebhookDeadLetterQueueUrl": self.dead_letter_queue.queue_url,
            "WebhookSecretArn": self.secret.secret_arn,
        }
        for name, value in outputs.items():
            CfnOutput(Stack.of(self), name, value=value)

    def environment_of_notifier(self) -> dict[str, str]:
        """The variables by which the notifier sends to the queue."""
        config = self._config
        environment = {"WEBHOOK_QUEUE_URL": self.queue.queue_url}
        if config.webhook_url:
            events = ",".join(config.webhook_events)
            environment |= {"STILLFRAME_WEBHOOK_URL": config.webhook_url, "STILLFRAME_WEBHOOK_EVENTS": events}
        return environment

    def statement_of_notifier(self) -> iam.PolicyStatement:
        """The permission by which it does."""
        return iam.PolicyStatement(sid="SendWebhooks", actions=["sqs:SendMessage"], resources=[self.queue.queue_arn])

    def statements_of_operator(self) -> list[iam.PolicyStatement]:
        """To send again what was given up (`redrive --webhooks`), and to show and rotate keys (`webhook-keys`)."""
        return [
            iam.PolicyStatement(
                sid="CountWebhooks",
                actions=["sqs:GetQueueAttributes"],
                resources=[self.dead_letter_queue.queue_arn],
            ),
            iam.PolicyStatement(
                sid="RedriveWebhooks",
                actions=["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"],
                resources=[self.dead_letter_queue.queue_arn],
            ),
            iam.PolicyStatement(sid="SendWebhooksAgain", actions=["sqs:SendMessage"], resources=[self.queue.queue_arn]),
            iam.PolicyStatement(
                sid="RotateKeys",
                actions=["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
                resources=[self.secret.secret_arn],
            ),
        ]

    def _dead_letters(self) -> sqs.Queue:
        key = self._storage.key
        return sqs.Queue(
            self,
            "DeadLetterQueue",
            retention_period=Duration.days(DEAD_LETTER_RETENTION_DAYS),
            encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=key,
            enforce_ssl=True,
        )

    def _secret(self) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            "Keys",
            description="The keys that sign the webhooks of Stillframe",
            encryption_key=self._storage.key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"previous": ""}),
                generate_string_key="current",
                password_length=KEY_CHARS,
                exclude_punctuation=True,
            ),
        )
        acknowledge(
            secret,
            "AwsSolutions-SMG4",
            "Receivers have the key: it is rotated when they are told (stillframe webhook-keys --rotate).",
        )
        return secret

    def _statements(self) -> list[iam.PolicyStatement]:
        """Exactly what the event source and the function do."""
        return [
            iam.PolicyStatement(
                sid="ReceiveWebhooks",
                actions=[
                    "sqs:ReceiveMessage",
                    "sqs:DeleteMessage",
                    "sqs:ChangeMessageVisibility",
                    "sqs:GetQueueAttributes",
                ],
                resources=[self.queue.queue_arn],
            ),
            iam.PolicyStatement(
                sid="GiveWebhooksUp", actions=["sqs:SendMessage"], resources=[self.dead_letter_queue.queue_arn]
            ),
            iam.PolicyStatement(
                sid="NoteAttempts", actions=["dynamodb:UpdateItem"], resources=[self._storage.table.table_arn]
            ),
            iam.PolicyStatement(
                sid="ReadKeys", actions=["secretsmanager:GetSecretValue"], resources=[self.secret.secret_arn]
            ),
            *self._storage.use_key(writes=True),
            write_logs(self.log_group),
        ]

    def _function(self) -> lambda_.Function:
        return zip_function(
            self,
            "webhooks",
            description="Stillframe: webhooks",
            memory_mb=MEMORY_MB,
            timeout_seconds=TIMEOUT_SECONDS,
            config=self._config,
            storage=self._storage,
            role=self.role,
            log_group=self.log_group,
            environment={
                "WEBHOOK_QUEUE_URL": self.queue.queue_url,
                "WEBHOOK_DEAD_LETTER_QUEUE_URL": self.dead_letter_queue.queue_url,
                "WEBHOOK_SECRET_ARN": self.secret.secret_arn,
            },
        )

    def _mapping(self) -> lambda_.EventSourceMapping:
        return lambda_.EventSourceMapping(
            self,
            "FromQueue",
            target=self.function,
            event_source_arn=self.queue.queue_arn,
            batch_size=BATCH_SIZE,
            max_concurrency=MAX_CONCURRENCY,
            report_batch_item_failures=True,
        )
