"""Stillframe as a part of another CDK app: `Stillframe(self, "Screenshots", size="medium")` in one of its stacks."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from aws_cdk import Environment, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stillframe.table.record import Status

from .config import DeployConfig
from .environment import ENVIRONMENT_KEY, MAX_NAME_CHARS
from .owner_rules import apply_owner_rules
from .record_pipe import RecordPipe
from .render_stack import RenderStack
from .storage_stack import StorageStack
from .worker import acknowledge_images

# Of a name that is made shorter.
HASH_CHARS = 8


class Stillframe(Construct):
    """A deployment of its own, in two stacks beside the one that it is used in.

    Images, records and queues outlive the app that way, and the app's own stack can be replaced at any time.
    """

    def __init__(self, scope: Construct, construct_id: str, **values: Any) -> None:
        """`values` are those of an environment's file (docs/deploy.md), by the same names.

        Raises ConfigError, which names the value that is wrong.
        """
        super().__init__(scope, construct_id)
        own = Stack.of(self)
        where = Environment(account=own.account, region=own.region)
        given = {ENVIRONMENT_KEY: name_of(own.stack_name, construct_id), **_known(where), **values}
        self._config = config = DeployConfig.of(given)
        self.stack_name = config.stack_name
        self.storage = StorageStack(
            self, "Storage", config=config, stack_name=f"{config.stack_name}-Storage", env=where
        )
        self.renderer = RenderStack(
            self, "Renderer", config=config, storage=self.storage, stack_name=config.stack_name, env=where
        )
        apply_owner_rules(self, self.storage, config)

    @property
    def queue(self) -> sqs.IQueue:
        """The queue that takes requests."""
        return self.storage.queue

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables by which code that uses the package `stillframe` finds the deployment."""
        return {
            "QUEUE_URL": self.storage.queue.queue_url,
            "DEAD_LETTER_QUEUE_URL": self.storage.dead_letter_queue.queue_url,
            "TABLE_NAME": self.storage.table.table_name,
            "BUCKET_NAME": self.storage.bucket.bucket_name,
        }

    def grant_send(self, grantee: iam.IGrantable) -> None:
        """Let an application send requests, and read their records."""
        _grant(grantee, self.renderer.access.to_send())

    def grant_look(self, grantee: iam.IGrantable) -> None:
        """Let an application read records and images."""
        _grant(grantee, self.renderer.access.to_read())
        holder = grantee.grant_principal
        if isinstance(holder, Construct):
            acknowledge_images(holder, self.renderer, self._config, self.storage)

    def on_captured(self, construct_id: str, target: sqs.IQueue | lambda_.IFunction) -> None:
        """Hand every record that becomes a success to a queue or a function, at least once and soon after.

        A function gets a list of records, a queue one message for each: the change as DynamoDB's stream has it, with
        the record under `dynamodb.NewImage` ("Amazon EventBridge Pipes", DynamoDB stream as a source).
        """
        RecordPipe(self, construct_id, storage=self.storage, status=Status.SUCCESS, target=target)

    def on_failed(self, construct_id: str, target: sqs.IQueue | lambda_.IFunction) -> None:
        """The same for every record of a capture that has failed for now or for good: its `errorCode` says why."""
        RecordPipe(self, construct_id, storage=self.storage, status=Status.FAILED, target=target)


def name_of(stack_name: str, construct_id: str) -> str:
    """The environment's name of a construct. What a name cannot hold is replaced by a hash of the whole."""
    whole = f"{stack_name}-{construct_id}".lower()
    name = re.sub(r"[^a-z0-9-]+", "-", whole)
    if name == whole and len(name) <= MAX_NAME_CHARS:
        return name
    digest = hashlib.sha256(whole.encode()).hexdigest()[:HASH_CHARS]
    return f"{name[: MAX_NAME_CHARS - HASH_CHARS - 1].rstrip('-')}-{digest}"


def _known(where: Environment) -> dict[str, str]:
    """The account and the region of the stack, as far as it has them."""
    place = {"account": where.account, "region": where.region}
    return {name: value for name, value in place.items() if value and not Token.is_unresolved(value)}


def _grant(grantee: iam.IGrantable, statements: list[iam.PolicyStatement]) -> None:
    for statement in statements:
        # IAM refuses a policy with two statements of the same Sid, and an application may use several deployments.
        statement.sid = None
        grantee.grant_principal.add_to_principal_policy(statement)
